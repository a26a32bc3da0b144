"""Erasing people (GDPR Art. 17): from the directory at once, from all mail by the timeline, with a
signed receipt at the end.

    POST -> records.py: gone from the directory -> outbox -> person.erased -> the timeline
    -> erasure.done -> finishing.py: counted, and once nobody is left, receipts.py signs

What was asked for is done whatever dies in between, and asking again changes nothing.
"""
