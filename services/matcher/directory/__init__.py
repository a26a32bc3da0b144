"""Who is who in an account, and how every replica knows it in time.

A write raises the account's version (`versions.py`) in its own transaction; a cache whose version
is not the account's is never used (`knowledge.py`). `outbox.py` announces each change to the
timeline, in order.

| module                     | subject                                                       |
|----------------------------|---------------------------------------------------------------|
| `people.py`                | people and their addresses                                    |
| `merges.py`                | profiles that are shown as one, with `groups.py`              |
| `capture_addresses.py`     | capture addresses                                             |
| `never_capture_lists.py`   | the lists, with `never_capture_entries.py`, which checks them |
| `windows.py`               | set-up windows                                                |
| `knowledge.py`             | what the decision asks, cached                                |
"""
