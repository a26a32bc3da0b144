"""What whoever gave a command can put right."""


class Mistake(Exception):
    """The command cannot be carried out, or not now; the message says in one line why."""
