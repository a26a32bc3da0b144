"""The raw bytes of a mail, as its viewer may have them, and the parts cut from them."""

import asyncio

from services.timeline.content.body import read_body
from services.timeline.content.data_images import images_set_aside
from services.timeline.content.images import (
    has_remote_images,
    with_inline_images,
    with_remote_images,
)
from services.timeline.content.reader import attached_parts
from services.timeline.query.mails import ShownMail
from services.timeline.query.raw_bytes import RawBytes
from services.timeline.write.identity import without_bcc, without_trace
from services.timeline.write.records import Attachment, Content, ListedContent
from shared.mail.mime import leaves
from shared.mail.part import Part, by_content_id
from shared.storage.blobs import BlobMissing, BlobStoreAway

_AT_ONCE = 4
"""Raw mails in memory at a time; each may have 30 MiB."""


class RawMails:
    """Raw mails, for reading."""

    def __init__(self, raw_bytes: RawBytes) -> None:
        self._bytes = raw_bytes
        self._at_once = asyncio.Semaphore(_AT_ONCE)

    async def of(self, shown: ShownMail[ListedContent]) -> bytes:
        """Return the raw mail without what the viewer may not know.

        Raises BlobMissing, BlobStoreAway.
        """
        async with self._at_once:
            raw = await self._of(shown.content)
            viewer = shown.viewer
            if shown.content.raw_of != viewer.person_id and not viewer.sees_all:
                raw = without_bcc(raw)
                if viewer.own_only:  # which way a colleague's copy took is theirs to know
                    raw = without_trace(raw)
            return raw

    async def attachment(self, shown: ShownMail[ListedContent], listed: Attachment) -> Part:
        """Return the attachment with this entry in the mail's content.

        Raises BlobMissing, also if the raw mail no longer has it, and BlobStoreAway.
        """
        async with self._at_once:
            raw = await self._of(shown.content)
            part = await asyncio.to_thread(_listed_part, raw, listed)
            if part is not None:
                return part
        raise BlobMissing(shown.content.raw_key)

    async def html(
        self, shown: ShownMail[Content], *, remote: bool, styles: bool = False
    ) -> tuple[str | None, bool]:
        """Return the HTML to show, with the mail's own images, and whether it has remote ones.

        With `remote` those are in it, too; with `styles` it is read again, and looks as its sender
        designed it. Without the raw bytes the mail's own images, and styles, are left out.
        """
        html = shown.content.html
        if html is None:
            return None, False
        parts: dict[str, Part] = {}
        if styles or 'src="cid:' in html:
            try:
                async with self._at_once:
                    raw = await self._of(shown.content)
                    if styles:
                        html = await asyncio.to_thread(_designed, raw) or html
                    if 'src="cid:' in html:
                        parts = await asyncio.to_thread(_images_of, raw)
            except (BlobMissing, BlobStoreAway):
                parts = {}
        return await asyncio.to_thread(_shown_html, html, parts, remote)

    async def _of(self, content: ListedContent) -> bytes:
        return await self._bytes.get(content.account, content.raw_key)


def _designed(raw: bytes) -> str | None:
    parts, _ = leaves(raw)
    return read_body(parts, styles=True).html


def _images_of(raw: bytes) -> dict[str, Part]:
    parts, _ = leaves(raw)
    return by_content_id([*images_set_aside(parts), *parts])


def _listed_part(raw: bytes, listed: Attachment) -> Part | None:
    """Return the part that is listed so.

    An older version of the reader may have counted otherwise, or listed what is text today.
    """
    parts = attached_parts(raw)
    at = listed.index
    for part in (*parts[at : at + 1], *parts, *leaves(raw)[0]):
        if len(part.data) == listed.size and part.content_type == listed.content_type:
            return part
    return None


def _shown_html(html: str, parts: dict[str, Part], remote: bool) -> tuple[str, bool]:
    has_remote = has_remote_images(html)
    if remote and has_remote:
        html = with_remote_images(html)
    return with_inline_images(html, parts), has_remote
