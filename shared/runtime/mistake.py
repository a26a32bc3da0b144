"""Mistakes that the caller of a command can correct."""


class Mistake(Exception):
    """The command cannot be carried out, or not now; the message says in one line why."""
