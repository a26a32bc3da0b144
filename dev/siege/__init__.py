"""Attacks on a running stack, through its doors, for `make bench ARGS="siege"` and `make chaos`.

Each goes on until it is cancelled, has target accounts of its own, and counts the answers.
"""
