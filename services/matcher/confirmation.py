"""A provider's question whether an address may forward its mail to a capture address.

Only the owner can answer it, so it is never a mail of the account. Known by structure, never by
words, so in every language:

* the literal From is one mailbox, and exactly the one from which a provider asks,
* every To and Cc recipient is a capture address: what a user's mailbox passed on is no question,
* the body holds the provider's link that confirms, or, where it has one, a code to type in.

A From can be forged, so a link counts only as a whole: https, exactly a host of the provider, the
path that confirms and nothing after its token. No forged mail can show another page, nor the link
that cancels. Who asks is what the mail says. Nothing raises; time is linear in the mail.

Whose form is known, and from where:

* Gmail, Google Workspace: sender, hosts, `vf-` (confirms), `uf-` (cancels), `(#code)` as in mails
  of 2012 to 2026 that receivers published. `isolated.` is the oldest host; the newest have no code.
* Proton: its web client's source has `/email-forwarding/accept#` and `/decline#` before a JWT; the
  sender and the host are those that receivers published. HTML only.
* Cloudflare Email Routing: sender and link as receivers published them. It names no mailbox.

Of Zoho, Yahoo, Yandex and QQ not enough is known; of Fastmail and Microsoft no such mail at all.
"""

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from services.matcher.addresses import normalise
from services.matcher.senders import literal_senders
from shared.mail.body import body_of
from shared.mail.headers import HeaderBlock, decode_text, mailboxes
from shared.mail.mime import FIRST_PARTS, leaves, text_of

_MAX_LINK = 2000
_REST = r"[A-Za-z0-9_.~%=-]+"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What the owner needs to answer: a code to type in, or a link on the provider's own host."""

    provider: str
    requested_by: str | None
    """The address whose mail is to be forwarded, if the mail names it."""
    code: str | None
    link: str | None


@dataclass(frozen=True, slots=True)
class _Provider:
    name: str
    sender: str
    domain: str
    """An address there, or below, is the provider's own and no customer's."""
    link: re.Pattern[str]
    has_code: bool = False


_PROVIDERS = (
    _Provider(
        "gmail",
        "forwarding-noreply@google.com",
        "google.com",
        re.compile(
            r"https://(?:mail-settings|mail|isolated\.mail)\.google\.com"
            rf"/mail/(?:u/[0-9]{{1,2}}/)?vf-{_REST}"
        ),
        has_code=True,
    ),
    _Provider(
        "proton",
        "no-reply@mail.proton.me",
        "mail.proton.me",
        re.compile(rf"https://account\.proton\.me/email-forwarding/accept#{_REST}"),
    ),
    _Provider(
        "cloudflare",
        "noreply@notify.cloudflare.com",
        "cloudflare.com",
        re.compile(rf"https://dash\.cloudflare\.com/email_fwdr/verify\?token={_REST}"),
    ),
)
_BY_SENDER = {provider.sender: provider for provider in _PROVIDERS}

_URL = re.compile(r"https?://[!#-&(-;=?-~]*+")
"""ASCII, no quotes or angle brackets: in Japanese, say, text goes on without a space."""
_LOCAL = r"A-Za-z0-9_.+%'&=/-"
_ADDRESS = re.compile(rf"(?<![\u00c0-\u1fff{_LOCAL}])[{_LOCAL}]{{1,64}}+@[A-Za-z0-9.-]{{3,255}}+")
"""Never the end of `jürgen@x`; but Japanese text may stand before one without a space."""
_CODE_IN_SUBJECT = re.compile(r"\(#([0-9]{6,12})\)")
_CODE_IN_TEXT = re.compile(r"(?<![\w.,+-])[0-9]{8,10}+(?![\w-])", re.ASCII)
_MARKUP = re.compile(r"(?is)<(?:!--.*?(?:-->|\Z)|(style|script)\b.*?(?:</\1|\Z)|[^<>]*+>)")
_ENTITY = re.compile(r"&#?[0-9A-Za-z]{1,31};")
"""Bounded: `html.unescape` raises on a number of 5,000 digits."""


def may_be_confirmation(header: HeaderBlock, capture_domain: str) -> bool:
    """Return whether a mail may be a provider's question, by its header alone."""
    is_known = _provider(header) is not None
    return is_known and all(to.endswith(f"@{capture_domain}") for to in _recipients(header))


def read_confirmation(header: HeaderBlock, raw: bytes) -> Confirmation | None:
    """Return what such a mail asks, None when it asks nothing. Its first MiB is enough."""
    provider = _provider(header)
    if provider is None:
        return None
    parts, _ = leaves(raw, header, names=False, most=FIRST_PARTS)
    read = [(text_of(part)[0], part.content_type) for part in body_of(parts).texts]
    sources = [source for source, _ in read]
    link = next((url for url in _urls(sources) if provider.link.fullmatch(url)), None)
    texts = [_without_markup(text) if kind == "text/html" else text for text, kind in read]
    texts = [_URL.sub(" ", text) for text in (decode_text(header.first("Subject") or ""), *texts)]
    code = _code(texts) if provider.has_code else None
    if link is None and code is None:
        return None
    return Confirmation(provider.name, _requester(texts, provider, header), code, link)


def _provider(header: HeaderBlock) -> _Provider | None:
    written = literal_senders(header)
    return _BY_SENDER.get(written[0].address.lower()) if len(written) == 1 else None


def _recipients(header: HeaderBlock) -> list[str]:
    found = mailboxes(header, "To") + mailboxes(header, "Cc")
    return [normalise(mailbox.address) for mailbox in found]


def _urls(sources: Iterable[str]) -> Iterator[str]:
    for source in sources:
        for found in _URL.finditer(source):
            if len(url := found[0].rstrip(".,;:!?)]}*")) <= _MAX_LINK:
                yield html.unescape(url)


def _without_markup(source: str) -> str:
    return _ENTITY.sub(_character, _MARKUP.sub(" ", source))


@lru_cache(maxsize=1024)
def _unescape(entity: str) -> str:
    return html.unescape(entity)


def _character(entity: re.Match[str]) -> str:
    return _unescape(entity[0])


def _code(texts: list[str]) -> str | None:
    if found := _CODE_IN_SUBJECT.search(texts[0]):
        return found[1]
    numbers = (_CODE_IN_TEXT.search(_ADDRESS.sub(" ", text)) for text in texts[1:])
    return next((number[0] for number in numbers if number), None)


def _requester(texts: list[str], provider: _Provider, header: HeaderBlock) -> str | None:
    """Return the first address that is neither the provider's nor where the mail shall go."""
    targets = {recipient.rpartition("@")[2] for recipient in _recipients(header)}
    for text in texts:
        for found in _ADDRESS.finditer(text):
            address = normalise(found[0].strip("'/=.-"))
            domain = address.rpartition("@")[2]
            is_own = f".{domain}".endswith(f".{provider.domain}")
            if "." in domain and domain not in targets and not is_own:
                return address
    return None
