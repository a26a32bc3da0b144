"""Mails as tests write them: in a few words."""

from collections.abc import Sequence


def mail(
    sender: str = "user@team.example",
    to: str = "cand@mail.example",
    *,
    headers: str = "",
    body: str = "The text.",
) -> str:
    """Return a mail."""
    return f"From: {sender}\r\nTo: {to}\r\n{headers}\r\n{body}\r\n"


def enclosing(mails: Sequence[str], boundary: str = "outer") -> tuple[str, str]:
    """Return the header fields and the body of a mail that forwards these as attachments."""
    parts = "".join(
        f"--{boundary}\r\nContent-Type: message/rfc822\r\n"
        f'Content-Disposition: attachment; filename="{number}.eml"\r\n\r\n{inner}\r\n'
        for number, inner in enumerate(mails)
    )
    headers = f"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary={boundary}\r\n"
    return headers, f"--{boundary}\r\n\r\nSee below.\r\n{parts}--{boundary}--"
