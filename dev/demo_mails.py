"""The demo's account and its sample mails, with what must become of each."""

from dataclasses import dataclass

ACCOUNT = "demo"
PEOPLE = {
    # person: (kind, name, addresses)
    "u1": ("user", "Recruiter One", ["one@agency.example"]),
    "u2": ("user", "Recruiter Two", ["two@agency.example", "two@home.example"]),
    "c1": ("candidate", "First Candidate", ["first@mail.example", "first@work.example"]),
    "c2": ("candidate", "Colleague As Candidate", ["two@home.example", "second@mail.example"]),
    "k1": ("contact", "Hiring Manager", ["manager@client.example"]),
    "g1": ("guest", "Guest", ["guest@client.example"]),
}
PROFILE = "c1"


@dataclass(frozen=True, slots=True)
class Sample:
    """One mail, and the captures it goes to."""

    says: str
    sender: str
    owners: tuple[str, ...]
    headers: dict[str, str]
    body: str

    def raw(self, number: int) -> bytes:
        """Return the mail as it goes over SMTP."""
        fields = {
            "Date": f"Thu, 15 Jan 2026 0{number}:00:00 +0000",
            "Message-ID": f"<demo-{number}@agency.example>",
            "MIME-Version": "1.0",
            "Content-Type": "text/plain; charset=utf-8",
            "Content-Transfer-Encoding": "8bit",
            **self.headers,
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return f"{head}\r\n{self.body}\r\n".encode()


def question(capture: str) -> bytes:
    """Return what Gmail writes to a capture address before it forwards there."""
    fields = {
        "From": "Gmail Team <forwarding-noreply@google.com>",
        "To": capture,
        "Subject": "(#482915637) Gmail Forwarding Confirmation",
        "Date": "Thu, 15 Jan 2026 00:30:00 +0000",
        "Message-ID": "<demo-question@google.com>",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    text = "\r\n\r\n".join(
        (
            "one@agency.example has requested to automatically forward mail to your email address.",
            "To allow it, please click the link below:",
            "https://mail-settings.google.com/mail/vf-%5Bexample%5D-demo",
        )
    )
    return f"{head}\r\n{text}\r\n".encode()


SAMPLES = (
    Sample(
        "a recruiter writes to a candidate, the capture address in Bcc",
        "one@agency.example",
        ("u1",),
        {
            "From": "Recruiter One <one@agency.example>",
            "To": "First Candidate <First@Mail.example>",
            "Subject": "Your interview on Friday",
        },
        "Could you come in on Friday at ten?",
    ),
    Sample(
        "the candidate answers from a second address; two recruiters' providers forward it",
        "first@work.example",
        ("u1", "u2"),
        {
            "From": "First Candidate <first@work.example>",
            "To": "one@agency.example, two@agency.example",
            "Subject": "=?utf-8?q?Re=3A_Your_interview_on_Friday_=E2=80=93_yes?=",
            "In-Reply-To": "<demo-1@agency.example>",
        },
        "Friday at ten is fine.\r\n\r\n> Could you come in on Friday at ten?",
    ),
    Sample(
        "a contact and a candidate in one mail, with a guest in Cc",
        "manager@client.example",
        ("u2",),
        {
            "From": "Hiring Manager <manager@client.example>",
            "To": '"Candidate, First" <first@mail.example>, two@agency.example',
            "Cc": "guest@client.example",
            "Subject": "Directions to our office",
        },
        "Take the north entrance.",
    ),
    Sample(
        "a newsletter: concerns nobody",
        "news@shop.example",
        ("u1",),
        {"From": "news@shop.example", "To": "one@agency.example", "Subject": "Offers"},
        "first@mail.example is only named in the text.",
    ),
    Sample(
        "two colleagues among themselves",
        "one@agency.example",
        ("u1",),
        {"From": "one@agency.example", "To": "two@agency.example", "Subject": "Lunch?"},
        "At noon?",
    ),
    Sample(
        "a colleague's private address that is also a candidate's: blocked",
        "friend@elsewhere.example",
        ("u2",),
        {"From": "friend@elsewhere.example", "To": "two@home.example", "Subject": "Saturday"},
        "See you on Saturday.",
    ),
)

EXPECTED_INBOX = (
    # newest first: subject, mails, profiles by name
    ("Directions to our office", 1, ["First Candidate", "Hiring Manager"]),
    ("Your interview on Friday", 2, ["First Candidate"]),
)
EXPECTED_TIMELINE = (
    # newest first: subject, direction, captured by, profiles
    ("Directions to our office", "inbound", ["u2"], ["c1", "k1"]),
    ("Re: Your interview on Friday – yes", "inbound", ["u1", "u2"], ["c1"]),  # noqa: RUF001 - the dash is the mail's own
    ("Your interview on Friday", "outbound", ["u1"], ["c1"]),
)
EXPECTED_TALLY = {"attached": 4, "confirmation": 1, "blocked": 1, "internal": 1, "no_match": 1}
EXPECTED_SETUP = (
    # of the first recruiter, the halves "mail I send" and "mail I receive"
    ("nothing_yet", "nothing_yet"),
    ("nothing_yet", "awaiting_confirmation"),
    ("working", "working"),
)
