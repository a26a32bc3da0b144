"""Operators' commands, and decisions about quarantined mail.

* `chores.py` runs a command instead of the service: `reprocess.py` reads stored mail again,
  `audit/` compares receipts with outcomes, `dead_letters/` lists, replays and drops.
* `quarantine.py` lists quarantined captures; `release.py` releases or deletes them.
* `rulings.py` removes a mail from a profile, hides or deletes it; `dropped_blobs.py` removes the
  bytes of what was deleted.
* `hand_overs.py` gives a leaver's captures to another user.
* `merged_mails.py` lets the mails of merged profiles count as changed.
* `stats.py` counts what became of captures, day by day.
"""
