"""A mail's bytes as SMTP brings them, in bounded memory: by DATA, or in chunks by BDAT.

* CRLF.CRLF alone ends what DATA brings (RFC 5321 section 4.1.1.4); a bare CR or LF is content. So
  no mail can be smuggled within another, whatever the sender's server takes for a line's end.
* What is beyond a limit is drained, not held, however long its lines are.
"""

from collections.abc import Callable
from typing import Protocol

_END = b"\r\n.\r\n"
_PIECE = 1024 * 1024

MayHold = Callable[[int], bool]
"""Asked with the size of what is held so far; once it says no, nothing is held any more."""


class MailTooLarge(Exception):
    """The mail is over the limit. All of it was read and discarded."""


class TooMuchAtOnce(Exception):
    """Too many bytes of mail are in flight. This one was read and discarded."""


class Pieces(Protocol):
    """A source of bytes. `read` waits for some, and returns none at the end."""

    async def read(self, most: int) -> bytes:
        """Return at least one byte, at most so many."""

    def give_back(self, rest: bytes) -> None:
        """Put bytes back, to be read next."""


async def read_data(reader: Pieces, limit: int, may_hold: MayHold = lambda _: True) -> bytes:
    """Return the mail that follows a 354, its dots unstuffed (RFC 5321 section 4.5.2).

    Never holds more than `limit` bytes and one piece. Raises MailTooLarge and TooMuchAtOnce once
    the end was seen, ConnectionResetError when it never comes.
    """
    mail = bytearray(b"\r\n")  # DATA begins at the start of a line: its first may be the last
    too_large = too_much = False
    while True:
        piece = await reader.read(_PIECE)
        if not piece:
            raise ConnectionResetError
        unseen = max(0, len(mail) - len(_END) + 1)
        mail += piece
        end = mail.find(_END, unseen)
        if end >= 0:
            rest = bytes(mail[end + len(_END) :])
            del mail[end + len(b"\r\n") :]
        too_large = too_large or len(mail) > limit + len(b"\r\n")
        too_much = too_much or not may_hold(0 if too_large else len(mail))
        if end >= 0:
            if rest:
                reader.give_back(rest)
            break
        if too_large or too_much:
            del mail[: 1 - len(_END)]
    if too_large:
        raise MailTooLarge
    if too_much:
        raise TooMuchAtOnce
    if b"\r\n." in mail:
        mail = mail.replace(b"\r\n.", b"\r\n")
    return bytes(memoryview(mail)[len(b"\r\n") :])


async def read_chunk(
    reader: Pieces, size: int, mail: bytearray, limit: int, may_hold: MayHold
) -> None:
    """Add the `size` bytes of a BDAT (RFC 3030 section 2), as they are, to what came of the mail.

    They are always read to their end: the next command begins there. Raises MailTooLarge,
    TooMuchAtOnce, ConnectionResetError.
    """
    too_large, too_much = len(mail) + size > limit, False
    while size:
        piece = await reader.read(min(size, _PIECE))
        if not piece:
            raise ConnectionResetError
        size -= len(piece)
        too_much = too_much or not may_hold(0 if too_large else len(mail) + len(piece))
        if not (too_large or too_much):
            mail += piece
    if too_large:
        raise MailTooLarge
    if too_much:
        raise TooMuchAtOnce
