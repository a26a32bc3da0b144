"""Errors that the caller of a command can correct."""


class Mistake(Exception):
    """The command cannot be carried out; the message says why in one line."""
