"""The decision: attach to which profiles, or dismiss, and why. Pure functions, no I/O.

| module                 | subject                                                           |
|------------------------|-------------------------------------------------------------------|
| `decide.py`            | the rules, for one mail whose participants are known              |
| `judge.py`             | which mails a capture holds, and the decision about each          |
| `forward_condition.py` | when the body of a user's mail counts                             |
| `reports.py`           | the failed recipients of a bounce                                 |
| `never_capture.py`     | what an account or a user never wants captured                    |
| `shares.py`            | to whom mail of an address of the whole company belongs           |
| `halves.py`            | which half of a set-up a capture proves                           |
"""
