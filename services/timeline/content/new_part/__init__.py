"""What a mail adds: its text apart from what it quotes, from its signature and from list footers.

Rules:

* Quoted are lines with `>` and the lines that introduce them (`On ... wrote:`), and all that
  follows an introduction without `>`: an attribution with a date or an address, a header block
  (`From:`, `Sent:`, `To:`, `Subject:`, in any order), `-----Original Message-----`. What stands
  around lines with `>` is new, so that answers below or between are found.
* A forwarded mail is not quoted: it is why the mail was sent. Outlook forwards as it replies, so
  the caller says `forward` where the subject or the event tells.
* The signature is what follows `-- `, the lines that programs add ("Sent from my iPhone"), and the
  footer that a mailing list adds: none of them is part of what the mail adds.
* Where nothing is recognised all of it is new. So it is where nothing would be left: before a quote
  without `>`, or beside a footer. What is missed is shown once too often; what is hidden is in the
  full text. So doubt shows.
* Clients introduce in their users' languages: `words` and `shared.mail.field_labels`.

Pure, and linear in the text, whatever it is.

| room               | what                                                        |
|--------------------|-------------------------------------------------------------|
| `parts.py`         | the way through: a text in three parts, and its snippet     |
| `lines.py`         | the lines of a text, and what each of them is               |
| `introductions.py` | what introduces a quote: the first look at a line           |
| `attributions.py`  | `On DATE, NAME wrote:`                                      |
| `header_blocks.py` | `From: ...`, `Sent: ...`                                    |
| `signatures.py`    | signatures, and what programs add                           |
| `footers.py`       | what mailing lists add                                      |
| `words.py`         | the words of clients                                        |
"""

from services.timeline.content.new_part.parts import SNIPPET_LENGTH as SNIPPET_LENGTH
from services.timeline.content.new_part.parts import Split as Split
from services.timeline.content.new_part.parts import snippet as snippet
from services.timeline.content.new_part.parts import split as split
