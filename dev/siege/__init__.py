"""Attacks on a running stack, through its doors, for `make bench ARGS="siege"` and `make chaos`.

Each goes on until it is cancelled, aims at accounts of its own, and counts what it was told.
"""
