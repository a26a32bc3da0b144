"""Forwarding confirmations: a provider asks whether a mailbox may forward to a capture address.

Only the owner can answer, so the request is never a mail of the account. It is recognised by its
structure, in every language:

* From is one mailbox: exactly the one that the provider asks from (`providers.py`). If a provider
  asks from the user's own mailbox, its fixed subject must be there too.
* The only recipient is the capture address that it came to. Mail that a user's mailbox forwarded is
  no request, and neither is one to a colleague's capture address.
* The body has the provider's link that confirms, where a reader can open it (`page.py`), or a code
  if the provider uses codes (`codes.py`).

A From can be forged, so a link must match as a whole: https, exactly a host of the provider, the
path that confirms and nothing beside its token. If any link merely looks like it, or leads
elsewhere than its text says, the mail is no request. So no forged mail can show another page, or
the link that cancels. Whether From was forged is said beside it (`authentication/`).

Nothing raises; time is linear in the mail.
"""

from services.matcher.confirmations.providers import signs_itself as signs_itself
from services.matcher.confirmations.recogniser import Confirmation as Confirmation
from services.matcher.confirmations.recogniser import may_be_confirmation as may_be_confirmation
from services.matcher.confirmations.recogniser import read_confirmation as read_confirmation
