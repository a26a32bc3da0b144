"""Round trips: a challenge goes to a user's own mailbox; what comes back proves their forward.

    prove -> challenge (`challenge.py`) -> relay (`relay.py`) -> the user's mailbox, which forwards
    -> ingest -> `returning.py`: is it theirs, and in time? -> `mail.round_trip.v1`
    or, refused on the way, a bounce to the return path -> `bounces.py`: why, in words

| module          | subject                                                                |
|-----------------|------------------------------------------------------------------------|
| `challenge.py`  | the mail that is sent, and how it is known again                       |
| `relay.py`      | the SMTP relay                                                         |
| `records.py`    | the latest round trip of each user, its challenges, the daily quota    |
| `proving.py`    | sends a challenge                                                      |
| `returning.py`  | what a capture says about a round trip                                 |
| `bounces.py`    | why a mail server refused it                                           |
| `repeating.py`  | the weekly round trips of the accounts that want them                  |

Nothing that comes back is ever shown as mail or matched. docs/round-trip.md has the rules.
"""
