"""From an outcome to what is stored. Every write can be repeated, in any order.

* `consumer.py` handles an outcome: `projection.py` says what the capture tells, `identity.py` which
  mail it is; `account_settings.py` and `authentication.py` whether it has to wait.
* `writer.py` commits what waits in its `lanes.py` together: `needed.py`, `loading.py`, `apply.py`,
  `committing.py`.
* `apply.py` is pure, and so is what it calls: `attaching.py` and `replacing.py`; `recording.py`
  (outcomes), `quarantine.py`; `conversations.py`, `read_marks.py`; `listing.py`, `mail_rows.py`,
  `summary.py`; `audiences.py`, `matches.py` (who may see what).
* `rulings.py` and `forgetting.py` (pure, too) are what users decide about a mail: removed from a
  profile, private, deleted. `handing_over.py` (pure) gives captures another owner.
* `mail_changes.py` numbers what a commit changes, for who keeps a copy.
* `records.py` and `side_records.py` have what is kept, `stored.py` turns it into BSON, `state.py`
  is what a batch sees.
* `people.py` follows the directory; `told_merges.py` keeps which merges were told of.
"""
