"""`make bench ARGS="siege"`: attacks on a running stack, and what they do to others.

First all at once that a hostile sender can do to ingest (`at_once.py`). Then, each in its turn, the
attacks of `dev/siege/attacks.py`. An attack goes on until an account that it does not aim at, the
bystander, has got its mails. Told are its mails accepted and visible, its waits beside those
without an attack, the mails of the account that is aimed at, free places, memory and processor.
"""
