"""Erasing people (GDPR Art. 17): from the directory at once, from all mail by the timeline, with a
signed receipt at the end.

    POST -> records.py: gone from the directory -> outbox -> person.erased -> the timeline
    -> erasure.done -> finishing.py: counted, and once nobody is left, receipts.py signs

Accounts are erased whole:

    POST -> accounts.py: capture addresses gone -> account_job.py: all documents -> account.erased
    -> the timeline -> account_erasure.done -> once more from the start -> the receipt

What was asked for is done whatever dies in between, and asking again changes nothing.
"""
