"""Mails that are crafted to be expensive or slow, and an ordinary one."""

from email.utils import formatdate

from dev.siege.ground import CANDIDATE, SILENT, USER

_LINE = b"The quick brown fox jumps over the lazy dog, and the day goes on as usual.\r\n"


def ordinary(number: str, size: int) -> bytes:
    """Return a mail with a file of about `size` bytes, as people send."""
    file = b"QUJD" * 18 + b"\r\n"
    return _mail(
        number,
        b'Content-Type: multipart/mixed; boundary="part"',
        b"--part\r\nContent-Type: text/plain\r\n\r\nText.\r\n"
        b"--part\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n"
        b'Content-Disposition: attachment; filename="cv.pdf"\r\n\r\n'
        + file * max(1, size // len(file))
        + b"--part--\r\n",
    )


def slow_to_authenticate(number: str) -> bytes:
    """Return a mail whose author's domain, one of its own, asks a DNS that never answers."""
    domain = f"slow{number}{SILENT}"
    signature = (
        f"DKIM-Signature: v=1; a=rsa-sha256; d={domain}; s=key; c=relaxed/relaxed;\r\n"
        " h=From:Subject:Date; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=QUJD"
    )
    return _mail(number, signature.encode(), b"Text.\r\n", f"sender@{domain}")


def with_enclosed(number: str, size: int, count: int) -> bytes:
    """Return a user's mail of about `size` bytes that encloses `count` others."""
    text = _LINE * max(1, size // count // len(_LINE))
    parts = b"".join(
        b"--part\r\nContent-Type: message/rfc822\r\n\r\n"
        + _mail(f"{number}-{inner}", b"Content-Type: text/plain", text, CANDIDATE, USER)
        for inner in range(count)
    )
    kind = b'Content-Type: multipart/mixed; boundary="part"'
    return _mail(number, kind, parts + b"--part--\r\n", to="somebody@mail.example")


def of_boundaries(number: str, size: int) -> bytes:
    """Return a mail of `size` bytes whose text is `--b--b--b`."""
    kind = b'Content-Type: multipart/mixed; boundary="b"'
    part = b"--b\r\nContent-Type: text/plain\r\n\r\n"
    return _mail(number, kind, part + b"--b" * (size // 3) + b"\r\n--b--\r\n")


def _mail(number: str, head: bytes, body: bytes, author: str = USER, to: str = CANDIDATE) -> bytes:
    fields = (
        f"From: {author}\r\nTo: {to}\r\nSubject: {number}\r\n"
        f"Message-ID: <{number}@siege.example>\r\nDate: {formatdate()}\r\n"
        "MIME-Version: 1.0\r\n"
    )
    return fields.encode() + head + b"\r\n\r\n" + body
