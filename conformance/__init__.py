"""Cases that show whether an installation reads and decides mail rightly, and what runs them.

It needs a running installation and a way to get tokens, and nothing of its inside: all goes through
the public doors. `docs/conformance.md` says how a case is written.
"""
