"""Is a mail from whom it says? DKIM, ARC, or what the border of this deployment found.

    the bytes -> who signed (`signature.py`), who vouches (`seals.py`), what the border said
    (`results.py`) -> what the sender's domain asks for (`policy.py`) -> `verdict.py`

Only mail that is attached is looked at, and a provider's question whether it may forward: of a
dismissed one not even a question in DNS remains. A mail is never late for it: within
AUTHENTICATION_SECONDS there is a verdict, and it is `unverified` when nothing could be found out.
"""

from services.matcher.authentication.authenticator import Authenticator as Authenticator
