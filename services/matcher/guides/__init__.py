"""How to set up each mail provider and mail client: guides that are data, and which one is whose.

    the mailbox's domain -> the hosts that take its mail (MX) -> `mail_hosts.toml` -> its guide

* A guide is a TOML file in `providers/` (by whom a mailbox is), `clients/` (programs that send) or
  `company/` (an administrator sets up everybody). Its id is the file's name, its form `shape.py`.
* A change of its text raises `version`. A new comparison with the product sets `checked`.
* `de/` has its texts in German: the same files, each of the same version (`translating.py`).
* It says how well its facts are known. What is not confirmed stands in `unknown`; no step is a
  guess.
* What Satchel cannot do yet is not told: `availability.py`.
* Only the domains of a user's own mailboxes are asked for. When that fails, the user gets the
  generic guide, and chooses.
"""

from services.matcher.guides.catalogue import GENERIC as GENERIC
from services.matcher.guides.catalogue import Catalogue as Catalogue
from services.matcher.guides.catalogue import language_of as language_of
from services.matcher.guides.choosing import Choosing as Choosing
