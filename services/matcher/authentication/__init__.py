"""Who really sent a mail? DKIM, ARC, or the results of the mail server in front.

    the bytes -> who signed (`signature.py`), who vouches (`seals.py`), what the server in front
    found (`results.py`) -> the sender's policy (`policy.py`) -> `verdict.py`

Only attached mail is authenticated, and a provider's forwarding confirmation. A dismissed mail
causes no DNS query, so none remains of it. Authentication never delays a mail by more than
AUTHENTICATION_SECONDS; then the verdict is `unverified`.
"""

from services.matcher.authentication.authenticator import Authenticator as Authenticator
from services.matcher.authentication.authenticator import not_asked as not_asked
