"""What mail servers and readers report about a mail: it bounced, it waits, it arrived, it was read.

* By structure first: the fields of RFC 3464 (delivery) and RFC 8098 (reading), in any language.
* Reports in prose (qmail, Exim, Yahoo and the like) count only from a mail server: a person who
  quotes or forwards a bounce sends none.
* The mail in question is known by its own Message-ID, from its returned header wherever that
  stands; only where nothing was returned, from the report's In-Reply-To and References.
* Shared by the matcher, which needs the failed recipients, and by the timeline, which marks the
  mail. Own code: docs/decisions/0014, docs/decisions/0031. Nothing raises; time is linear in at
  most 256 KiB of each part.

| module         | subject                                                               |
|----------------|-----------------------------------------------------------------------|
| `report.py`    | the whole: from a mail to a report, or none                           |
| `writer.py`    | who writes: a mail server, a postmaster, no one to answer, a person   |
| `structure.py` | the fields of RFC 3464 and RFC 8098                                   |
| `prose.py`     | reports without fields                                                |
| `words.py`     | how a failure and a delay are written, by language                    |
| `named.py`     | the addresses that prose names                                        |
| `returned.py`  | the mail in question, or its header, as returned                      |
"""

from shared.mail.delivery_reports.report import MAX_RECIPIENTS as MAX_RECIPIENTS
from shared.mail.delivery_reports.report import Report as Report
from shared.mail.delivery_reports.report import report_of as report_of
from shared.mail.delivery_reports.writer import JOURNAL as JOURNAL
from shared.mail.delivery_reports.writer import has_null_sender as has_null_sender
from shared.mail.delivery_reports.writer import is_automatic as is_automatic
from shared.mail.delivery_reports.writer import may_be_report as may_be_report
