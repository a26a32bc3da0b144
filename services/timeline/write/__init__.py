"""From an outcome to what is stored. Every write can be repeated, in any order.

* `consumer.py` handles an outcome. `projection.py` says what the capture tells, `identity.py` which
  mail it is; `account_settings.py`, `authentication.py`, `quarantine.py`: whether it has to wait.
* `store.py` writes it in one transaction, one at a time per mail (`turns.py`): `outcomes.py`,
  `conversations.py`, then `rows.py` for each audience (`audiences.py`, `matches.py`, `summary.py`),
  `read_marks.py`, `changes.py`, `bounces.py` and `confirmations.py`.
* `people.py` follows the directory.
"""
