"""What a mail says of itself, for the decision: who takes part, who wrote it, what it encloses.

Pure and linear in the mail. Nothing here knows an account.

| module            | subject                                                                |
|-------------------|------------------------------------------------------------------------|
| `addresses.py`    | when two addresses are the same                                        |
| `participants.py` | the addresses of the header, with their roles                          |
| `senders.py`      | the author behind a list                                               |
| `enclosed.py`     | mails that were forwarded as attachments                               |
| `journal.py`      | journal reports, unwrapped                                             |
"""
