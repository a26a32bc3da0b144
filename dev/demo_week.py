"""A recruiter's week for the demo, oldest mail first. All people and companies are invented."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime

from dev.demo_mails import PEOPLE
from dev.demo_parts import ANSWER, INVITATION, OFFER, REPORT, curriculum_vitae

NORA = "Nora Keller <nora@agency.example>"
BEN = "Ben Ortiz <ben@agency.example>"
AMINA = "Amina Diallo <amina.diallo@mail.example>"
AMINA_AT_WORK = "Amina Diallo <amina@work.example>"
JONAS = "Jonas Lindqvist <jonas@lindqvist.example>"
MEI = "Mei Tanaka <mei.tanaka@mail.example>"
PRIYA = "Priya Raman <priya@kestrel.example>"
HAMBURG = "Shortlist for Hamburg"
YES = "Re: Your interview on Friday – yes"  # noqa: RUF001 - as people type it


@dataclass(frozen=True, slots=True)
class Sample:
    """One mail, and the users whose capture addresses it goes to."""

    says: str
    owners: tuple[str, ...]
    raw: bytes
    envelope: str = "bounces@relay.example"


def week(now: datetime, capture: Mapping[str, str]) -> Iterator[Sample]:
    """Yield the week that ends now; `capture` has the capture address of each user."""

    def mail(
        id_: str, hours_ago: float, from_: str, to: str, subject: str, text: str, **more: str
    ) -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = from_, to, subject
        message["Date"] = format_datetime(now - timedelta(hours=hours_ago))
        message["Message-ID"] = f"<{id_}@demo.example>"
        for name, value in more.items():
            message[name.replace("_", "-")] = value
        message.set_content(text)
        return message

    def sample(says: str, owners: tuple[str, ...], message: EmailMessage) -> Sample:
        return Sample(says, owners, message.as_bytes())

    yield sample(
        "a recruiter and a client talk about a shortlist",
        ("u1",),
        mail("s1", 150, NORA, f"{PRIYA}, {JONAS}", HAMBURG, "Hello Priya,\n\nJonas Lindqvist is my "
             "first choice for the platform team. He is in copy, so that you can talk directly.\n\n"
             "Best wishes\nNora\n\n-- \nNora Keller\nThe Agency, Hamburg\n+49 40 5550 0101"),
    )  # fmt: skip
    yield sample(
        "the client answers, and her provider quotes",
        ("u1",),
        mail("s2", 146, PRIYA, f"{NORA}, {JONAS}", f"Re: {HAMBURG}", "Thank you, Nora. Jonas, "
             "could you tell us a little about the migration that you led?\n\nPriya\n\nOn Monday, "
             "Nora Keller wrote:\n> Jonas Lindqvist is my first choice for the platform team.",
             In_Reply_To="<s1@demo.example>"),
    )  # fmt: skip
    yield sample(
        "the candidate's holiday answers",
        ("u1",),
        mail("s3", 145, JONAS, f"{NORA}, {PRIYA}", f"Automatic reply: {HAMBURG}",
             "I am away until Thursday and read mail in the evening.",
             In_Reply_To="<s2@demo.example>", Auto_Submitted="auto-replied"),
    )  # fmt: skip
    yield sample(
        "a recruiter invites a candidate, the capture address in Bcc",
        ("u1",),
        mail("i1", 98, NORA, AMINA, "Your interview on Friday", "Hello Amina,\n\ncould you come in "
             "on Friday at ten? Please send me your CV before.\n\nNora"),
    )  # fmt: skip
    answer = mail("i2", 92, AMINA_AT_WORK, f"{NORA}, {BEN}", YES,
                  "Friday at ten is fine. My CV is attached.\n\nAmina\n\n"
                  "> could you come in on Friday at ten?",
                  In_Reply_To="<i1@demo.example>")  # fmt: skip
    answer.add_alternative(ANSWER, subtype="html")
    answer.add_attachment(
        curriculum_vitae(), maintype="application", subtype="pdf", filename="Amina Diallo CV.pdf"
    )
    yield sample(
        "she answers from a second address with her CV; two recruiters' providers forward it",
        ("u1", "u2"),
        answer,
    )
    yield sample(
        "a client and a candidate in one mail, with a guest in Cc",
        ("u2",),
        mail("d1", 75, PRIYA, f"{AMINA}, {BEN}", "Directions to our office",
             "Hello Amina,\n\ntake the north entrance and ask for me at the desk.\n\nPriya",
             Cc="desk@kestrel.example"),
    )  # fmt: skip
    yield sample(
        "a recruiter asks a candidate who has moved on",
        ("u1",),
        mail("m1", 52, NORA, MEI, "Are you still looking?", "Hello Mei,\n\nI have a role you may "
             "like: https://agency.example/roles/berlin\n\nNora"),
    )  # fmt: skip
    yield Sample("it bounces", ("u1",), _bounce(now - timedelta(hours=51.9)))
    yield sample(
        "a colleague forwards an application by hand",
        ("u2",),
        mail("f1", 30, BEN, capture["u2"], "Fwd: Application: data engineer",
             "For our files.\n\n---------- Forwarded message ---------\n"
             f"From: {MEI}\nDate: {_written(now - timedelta(hours=31))}\n"
             f"Subject: Application: data engineer\nTo: {BEN}\n\n"
             "Dear Mr Ortiz,\n\nI would like to apply for the role in Berlin. You reach me at this "
             "address again.\n\nMei Tanaka"),
    )  # fmt: skip
    yield sample("an invitation to the interview", ("u1",), _invitation(mail, now))
    offer = mail("o1", 6, PRIYA, f"{AMINA}, {NORA}", "Your offer from Kestrel Analytics",
                 "Dear Amina,\n\nwe are delighted to offer you the position.\n\nPriya")  # fmt: skip
    offer.add_alternative(OFFER, subtype="html")
    yield sample("an offer, designed by its sender", ("u1",), offer)
    yield sample(
        "a candidate names a salary",
        ("u1",),
        mail("j1", 0.4, JONAS, NORA, "Salary expectations", "Hi Nora,\n\nI am thinking of 82,000 "
             "to 88,000 euros, depending on the bonus. The migration took nine months; I am happy "
             "to talk Kestrel through it.\n\nThanks\nJonas\n\n-- \nJonas Lindqvist\n"
             "+46 70 555 01 02"),
    )  # fmt: skip
    yield sample(
        "a newsletter: matches no profile",
        ("u1",),
        mail("n1", 28, "news@shop.example", NORA, "Offers of the week",
             "amina.diallo@mail.example is only named in the text."),
    )  # fmt: skip
    yield sample(
        "two colleagues among themselves",
        ("u1",),
        mail("l1", 26, NORA, BEN, "Lunch?", "At noon?"),
    )
    yield sample(
        "a colleague's private address that is also a candidate's: blocked",
        ("u2",),
        mail("p1", 25, "friend@elsewhere.example", "ben@home.example", "Saturday",
             "See you there."),
    )  # fmt: skip


def question(now: datetime, capture_address: str, owner: str) -> Sample:
    """Return a provider's question whether it may forward to the owner's capture address."""
    _, name, [mailbox, *_] = PEOPLE[owner]
    message = EmailMessage()
    message["From"] = "Gmail Team <forwarding-noreply@google.com>"
    message["To"] = capture_address
    message["Subject"] = "(#483920571) Gmail Forwarding Confirmation - Receive Mail"
    message["Date"] = format_datetime(now - timedelta(minutes=4))
    message["Message-ID"] = f"<question-to-{owner}@demo.example>"
    message.set_content(
        f"{mailbox} has requested to automatically forward mail to your email address "
        f"{capture_address}.\n\nConfirmation code: 483920571\n\n"
        "https://mail-settings.google.com/mail/vf-%5BDEMO%5D-not-a-real-question\n"
    )
    return Sample(f"Gmail asks whether it may forward to {name}", (owner,), message.as_bytes())


def forgery(now: datetime) -> bytes:
    """Return a forged mail in the client's name, before it is signed and altered."""
    message = EmailMessage()
    message["From"], message["To"] = PRIYA, f"{NORA}, {AMINA}"
    message["Subject"] = "New bank details for your invoices"
    message["Date"] = format_datetime(now - timedelta(hours=2))
    message["Message-ID"] = "<forged@demo.example>"
    message.set_content("Please pay to the account in our letter from today on.")
    return message.as_bytes()


def _bounce(at: datetime) -> bytes:
    head = (
        "From: Mail Delivery System <mailer-daemon@agency.example>\r\n"
        f"To: {NORA}\r\nSubject: Undelivered Mail Returned to Sender\r\n"
        f"Date: {format_datetime(at)}\r\nMessage-ID: <b1@demo.example>\r\n"
    )
    return (head + REPORT.replace("\n", "\r\n")).encode()


def _invitation(mail: Callable[..., EmailMessage], now: datetime) -> EmailMessage:
    message = mail("v1", 22, PRIYA, f"{AMINA}, {NORA}", "Interview: Amina Diallo",
                   "You are invited.")  # fmt: skip
    day = now + timedelta(days=(4 - now.weekday()) % 7 or 7)
    message.add_alternative(
        INVITATION.format(day=day.strftime("%Y%m%d")).replace("\n", "\r\n"),
        subtype="calendar",
        params={"method": "REQUEST"},
    )
    return message


def _written(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%a, %d %b %Y at %H:%M")
