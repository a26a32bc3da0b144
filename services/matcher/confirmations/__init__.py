"""A provider's question whether an address may forward its mail to a capture address.

Only the owner can answer it, so it is never a mail of the account. It is known by structure, so in
every language:

* From is one mailbox: exactly the one from which a provider asks (`providers.py`). Where a provider
  asks from the user's own mailbox, its fixed subject has to be there as well.
* The only recipient is the capture address that it came to. What a user's mailbox passed on is no
  question, nor is one that was asked of a colleague's capture address.
* The body holds the provider's link that confirms, as something that a reader can open
  (`page.py`), or a code where the provider has one (`codes.py`).

A From can be forged, so a link counts only as a whole: https, exactly a host of the provider, the
path that confirms and nothing beside its token. A mail in which a link merely looks like it, or
leads elsewhere than it says, is no question at all. So no forged mail can show another page, nor
the link that cancels. Whether From was forged is told beside it (`authentication/`).

Nothing raises; time is linear in the mail.
"""

from services.matcher.confirmations.providers import signs_itself as signs_itself
from services.matcher.confirmations.recogniser import Confirmation as Confirmation
from services.matcher.confirmations.recogniser import may_be_confirmation as may_be_confirmation
from services.matcher.confirmations.recogniser import read_confirmation as read_confirmation
