"""Recognises a provider's question in a mail."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from services.matcher.confirmations.codes import (
    code_in_subject,
    find_code,
    names_ip_address,
    plain,
)
from services.matcher.confirmations.page import URL, Page, read_page, unescape, urls
from services.matcher.confirmations.providers import PROVIDERS, Code, Provider
from services.matcher.reading.addresses import normalise
from services.matcher.reading.senders import literal_senders
from shared.mail.body import body_of
from shared.mail.headers import HeaderBlock, decode_text, mailboxes
from shared.mail.mime import FIRST_PARTS, leaves
from shared.mail.part import text_of

_LOCAL = r"A-Za-z0-9_.+%'&=/-"
_ADDRESS = re.compile(rf"(?<![\u00c0-\u052f{_LOCAL}])[{_LOCAL}]{{1,64}}+@[A-Za-z0-9.-]{{3,255}}+")
"""Never the end of `jürgen@x`; but Thai or Japanese may stand before one without a space."""
_IN_FRONT = re.compile(r".*[=/&'%](?=[^@]*@)")
"""What can stand before a capture address and looks like the beginning of an address."""
_HOST = re.compile(r"https?://([^/?#]*)", re.IGNORECASE)
_OF_LISTS = ("List-Id", "List-Post", "List-Unsubscribe", "Mailing-List")
_OTHER_SUBJECTS = re.compile(r"log-?\s?in|sign-?\s?in|password|one-?time|\botp\b", re.IGNORECASE)
_FORWARDING = re.compile(
    "forward|weiterl|weitergel|transf[eéè]r|trasfer|reenv|encaminh|inoltr|doorst|doorgest|"
    "vidarebefor|videresend|viderebring|edelleen|välitt|przekaz|przekier|přepos|přesmer|továbbít|"
    "redirec|προώθ|пересыл|переадрес|перенаправ|yönlend|iletme|terus|chuyển tiếp|"
    "転送|转发|轉發|轉寄|전달|ส่งต่อ|توجيه|تحويل|העבר|अग्रेष",
    re.IGNORECASE,
)
"""Only a mail that has nothing but a number to show has to use one of these words."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What the owner needs to answer: a code to type in, or a link on the provider's own host."""

    provider: str
    requested_by: str | None
    """The address whose mail is to be forwarded, if the mail names it."""
    code: str | None
    link: str | None


def may_be_confirmation(
    header: HeaderBlock, capture_domain: str, capture_address: str | None = None
) -> bool:
    """Return whether a mail may be a provider's question, by its header alone.

    `capture_address` is the one that it came to, where that is known.
    """
    asked = set(_recipients(header))
    if capture_address is not None:
        asked.add(normalise(capture_address))
    if len(asked) > 1 or not all(to.endswith(f"@{capture_domain}") for to in asked):
        return False
    return _provider(header) is not None


def read_confirmation(
    header: HeaderBlock, raw: bytes, capture_domain: str, capture_address: str | None = None
) -> Confirmation | None:
    """Return what such a mail asks, None when it asks nothing. Its first MiB is enough."""
    provider = _provider(header)
    if provider is None:
        return None
    parts, _ = leaves(raw, header, names=False, most=FIRST_PARTS)
    read = [(text_of(part)[0], part.content_type) for part in body_of(parts).texts]
    pages = [read_page(text, kind == "text/html") for text, kind in read]
    asked = [capture_address] if capture_address else _recipients(header)
    target = normalise(asked[0]) if asked else None
    subject = URL.sub(" ", decode_text(header.first("Subject") or ""))
    texts = [plain(text) for text in (subject, *(page.text for page in pages))]
    named = [list(_addresses(text)) for text in texts]
    if _names_another(named, capture_domain, target):
        return None
    mail = _Mail(header, provider, target, pages, texts, named, [source for source, _ in read])
    link = mail.link()
    if mail.misleads(link):
        return None
    code = mail.code(provider.code, link) if provider.code else None
    if link is None and code is None:
        return None
    return Confirmation(provider.name, mail.requester(), code, link)


@dataclass(frozen=True, slots=True)
class _Mail:
    """A mail of a provider's sender, read."""

    header: HeaderBlock
    provider: Provider
    target: str | None
    """The capture address that is asked."""
    pages: Sequence[Page]
    texts: Sequence[str]
    """The subject, then what is seen of each text."""
    named: Sequence[Sequence[str]]
    """The addresses in each of these."""
    sources: Sequence[str]

    def link(self) -> str | None:
        """Return the link that confirms; None where there is none, or more than may be."""
        links = list(dict.fromkeys(link for page in self.pages for link in page.links))
        if self.provider.has_one_link and len(links) > 1:
            return None
        found = dict.fromkeys(filter(None, map(self._confirming, links)))
        return next(iter(found)) if len(found) == 1 else None

    def misleads(self, link: str | None) -> bool:
        """Return whether a link imitates a confirming link, or its text names another target."""
        for page in self.pages:
            for url in page.links:
                if self._claims(url) and self._confirming(url) is None:
                    return True
            for anchor in page.anchors:
                if any(
                    self._claims(url) and not _leads_to(anchor.link, url)
                    for url in urls(anchor.text)
                ):
                    return True
        return link is None and any(self._claims(source) for source in self.sources)

    def code(self, code: Code, link: str | None) -> str | None:
        """Return the code to type in. Without a link beside it, it has to stand out."""
        hint = (self.header.first(code.hint) or "").strip() if code.hint else ""
        subject, *texts = (_ADDRESS.sub(" ", text) for text in self.texts)
        in_subject = code_in_subject(subject, code.digits)
        in_text = find_code(texts, code.digits, hint)
        if link is not None:
            return in_subject or (in_text.code if in_text else None)
        if self.requester() is None or self._is_of_list() or not self._stays_with_provider():
            return None
        if code.is_only_answer:
            return self._only_answer(in_subject, in_text.code if in_text else None)
        return in_subject or (in_text.code if in_text and in_text.stands_out else None)

    def requester(self) -> str | None:
        """Return the first address that is neither the provider's nor where the mail shall go."""
        if self.provider.asks_from_mailbox:
            return normalise(literal_senders(self.header)[0].address)
        asked = self.target.rpartition("@")[2] if self.target else ""
        for address in (address for named in self.named for address in named):
            domain = address.rpartition("@")[2]
            if "." in domain and domain != asked and not self.provider.own.fullmatch(address):
                return address
        return None

    def _only_answer(self, in_subject: str | None, in_text: str | None) -> str | None:
        """Return the code of a sender that writes of other things too."""
        if in_subject and in_text and in_subject != in_text:
            return None
        if _OTHER_SUBJECTS.search(self.texts[0]) or any(map(names_ip_address, self.texts)):
            return None
        is_about_it = any(map(_FORWARDING.search, self.texts)) or any(
            self.target and self.target in named for named in self.named
        )
        return (in_subject or in_text) if is_about_it else None

    def _confirming(self, url: str) -> str | None:
        if self.provider.says_so and not self._claims(url):
            return None
        shown = (link.read(url, self.target) for link in self.provider.links)
        return next((link for link in shown if link is not None), None)

    def _claims(self, text: str) -> bool:
        plain_text = unquote(unescape(text)).lower()
        return all(re.search(claim, plain_text) for claim in self.provider.claims)

    def _is_of_list(self) -> bool:
        return any(self.header.first(name) is not None for name in _OF_LISTS)

    def _stays_with_provider(self) -> bool:
        """Return whether every link leads to a host of the provider."""
        own = self.provider.own_hosts
        if own is None:
            return True
        hosts = (_HOST.match(link) for page in self.pages for link in page.links)
        return all(own.fullmatch(host[1].lower()) for host in hosts if host)


def _leads_to(link: str, shown: str) -> bool:
    """Return whether a link is the one that its text shows, or begins to show."""
    return unquote(link).lower().startswith(unquote(shown).lower())


def _provider(header: HeaderBlock) -> Provider | None:
    written = literal_senders(header)
    if len(written) != 1:
        return None
    sender = normalise(written[0].address)
    subject = None
    for provider in PROVIDERS:
        if not provider.senders.fullmatch(sender):
            continue
        if provider.subject is None:
            return provider
        if subject is None:
            subject = "".join(plain(decode_text(header.first("Subject") or "")).lower().split())
        if provider.subject.fullmatch(subject):
            return provider
    return None


def _recipients(header: HeaderBlock) -> list[str]:
    found = mailboxes(header, "To") + mailboxes(header, "Cc")
    return [normalise(mailbox.address) for mailbox in found]


def _addresses(text: str) -> list[str]:
    return [normalise(found[0].strip("'/=.-")) for found in _ADDRESS.finditer(text)]


def _names_another(named: Sequence[Sequence[str]], capture_domain: str, target: str | None) -> bool:
    """Return whether the question names another capture address."""
    if target is None:
        return False
    under_domain = f"@{capture_domain}"
    return any(
        address.endswith(under_domain) and _IN_FRONT.sub("", address) != target
        for some in named
        for address in some
    )
