"""The bounce of a user's mail: the failed recipients take part in it.

The header of a bounce names only the mail server and the user, so by it nothing would match. The
failed recipients stand in the report (RFC 3464, or the prose of servers) and become participants:

* Only a bounce adds them. A delay notice, a receipt and a complaint add no participant.
* If the report returns the header of the mail, every From in it must be a user of the account.
  Otherwise the report is about someone else's mail, and none of its recipients counts. Sender does
  not matter: sending on behalf of a user does not make the mail one's own.
* A recipient that the returned To and Cc do not name was in Bcc, and takes part as that: the
  timeline shows it only to the owner of the capture (docs/decisions/0008).
* Anyone can write a report. It has no more effect than a mail with the same addresses in To.
"""

from collections.abc import Collection
from dataclasses import dataclass

from services.matcher.decision.decide import Person
from services.matcher.forwards.markup import text_of_html
from services.matcher.reading.addresses import normalise
from services.matcher.reading.participants import Participant
from shared.contracts.events import Kind, Role, Source
from shared.mail.body import body_of, joined_source, joined_text
from shared.mail.delivery_reports import report_of
from shared.mail.headers import HeaderBlock, read_header_block
from shared.mail.mime import leaves


@dataclass(frozen=True, slots=True)
class Bounce:
    """A report that a mail was not delivered, as far as the decision needs it."""

    failed: tuple[Participant, ...]
    """Who was not reached, without capture addresses."""
    writers: frozenset[str] | None
    """Who wrote the mail, by its returned From; None where no From is returned. In the form in
    which addresses compare."""

    @property
    def keys(self) -> frozenset[str]:
        """Return the addresses to ask the directory about."""
        return frozenset(participant.address for participant in self.failed) | (
            self.writers or frozenset()
        )

    def participants(self, people: Collection[Person]) -> tuple[Participant, ...]:
        """Return whom the report adds: none if the mail is not from users alone."""
        if self.writers is None:
            return self.failed
        users = frozenset().union(*(person.keys for person in people if person.kind is Kind.USER))
        return self.failed if self.writers and self.writers <= users else ()


def read_bounce(
    raw: bytes, capture_domain: str, header: HeaderBlock | None = None
) -> Bounce | None:
    """Return what a mail says about another that was not delivered; None if it says nothing.

    `raw` is the mail, or enough of its beginning, `header` its header, where it was read already.
    Never raises; time is linear.
    """
    header = header or read_header_block(raw)
    parts, _ = leaves(raw, header, names=False)
    pieces = body_of(parts).plain
    is_html = any(part.content_type == "text/html" for part in pieces)
    text = text_of_html(joined_source(pieces)) if is_html else joined_text(pieces)
    report = report_of(header, parts, text)
    if report is None or report.kind != "bounce":
        return None
    visible = None
    if report.returned_to is not None:
        visible = frozenset(map(normalise, report.returned_to))
    failed = dict.fromkeys(map(normalise, report.recipients))
    return Bounce(
        tuple(
            Participant(address, _role(address, visible), Source.DELIVERY_REPORT)
            for address in failed
            if not address.endswith(f"@{capture_domain}")
        ),
        None if report.returned_from is None else frozenset(map(normalise, report.returned_from)),
    )


def _role(address: str, visible: frozenset[str] | None) -> Role:
    return Role.TO if visible is None or address in visible else Role.BCC
