"""What the matcher counts. Accounts and addresses are never labels."""

from prometheus_client import Counter, Histogram

DECISIONS = Counter("satchel_decisions_total", "Decisions, by outcome", ["decision"])
DECIDE_SECONDS = Histogram("satchel_decide_seconds", "From a capture in hand to its decision")
AUTHENTICATIONS = Counter(
    "satchel_authentications_total", "Attached mails, by what was found out of From", ["verdict"]
)
AUTHENTICATE_SECONDS = Histogram("satchel_authenticate_seconds", "Of all mails of one capture")
