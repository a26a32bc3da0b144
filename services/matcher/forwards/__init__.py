"""A mail that a user forwarded to their capture address, inline ("Fwd:").

Then the header block that the forwarder's client put into the body adds participants, and says what
is shown: the original sender, date and subject. Read in any language and of any client, by
structure first: own code, linear in the body, since anyone may have written that. The names of the
header fields and the prefixes of subjects are in `shared.mail`: the timeline reads them too.

| room             | what                                                                    |
|------------------|-------------------------------------------------------------------------|
| `read.py`        | the way through: from a body to a forward and its participants          |
| `markup.py`      | the lines of HTML                                                       |
| `lines.py`       | the lines of a text, without what clients put around them               |
| `separators.py`  | `---- Forwarded message ----`                                           |
| `block.py`       | a header block                                                          |
| `attribution.py` | `On DATE, NAME wrote:`                                                  |
| `people.py`      | whom a line names                                                       |
| `dates.py`       | when it was, with `months.py`                                           |
"""

from services.matcher.forwards.read import Forward as Forward
from services.matcher.forwards.read import forwarded_in as forwarded_in
from services.matcher.forwards.read import forwarded_participants as forwarded_participants
from services.matcher.forwards.read import read_forward as read_forward
