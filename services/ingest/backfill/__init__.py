"""Backfill: mail from before the set-up, read from an mbox, a Maildir or `.eml` files.

Interrupted and run again, it brings each mail once. It never delays live mail: its queues are its
own. `sources.py` reads the files, `run.py` sends their mails.
"""
