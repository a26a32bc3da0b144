"""Bodies of the demo's mails: what their senders' programs make of them."""

OFFER = """<html><body style="margin:0;background-color:#eef2f1">
<table width="100%" cellpadding="0" cellspacing="0" bgcolor="#eef2f1"><tr><td align="center"
 style="padding:28px"><table width="600" cellpadding="0" cellspacing="0" bgcolor="#ffffff"
 style="border:1px solid #d8e0dd;border-radius:10px;font-family:Helvetica,Arial,sans-serif">
<tr><td style="background-color:#123c36;color:#ffffff;padding:22px 30px;font-size:20px;
 font-weight:bold;border-radius:10px 10px 0 0">Kestrel Analytics</td></tr>
<tr><td style="padding:26px 30px;font-size:15px;line-height:24px;color:#24302d">
<p style="margin:0 0 14px">Dear Amina,</p>
<p style="margin:0 0 14px">We are delighted to offer you the position of
<strong>Senior Data Engineer</strong>. In short:</p>
<table width="100%" cellpadding="9" style="border-collapse:collapse;font-size:14px">
<tr style="background-color:#eef5f2"><td>Start</td><td align="right">1 March</td></tr>
<tr><td>Place</td><td align="right">Hamburg, two days remote</td></tr>
<tr style="background-color:#eef5f2"><td>Please answer by</td><td align="right">Friday</td></tr>
</table>
<p style="margin:20px 0"><a href="https://kestrel.example/offers/7" style="background-color:#d9622b;
color:#ffffff;padding:12px 22px;border-radius:6px;text-decoration:none">Read the contract</a></p>
<p style="margin:0;color:#5d6b67">Priya Raman, Head of Data</p></td></tr></table></td></tr></table>
</body></html>"""

ANSWER = """<div dir="ltr"><div><b>Friday at ten</b> is fine. My CV is attached; the first entry
is the project that you asked about.</div><div><br></div><div>Amina</div></div><br>
<div class="gmail_quote"><div dir="ltr" class="gmail_attr">Nora Keller &lt;<a
href="mailto:nora@agency.example">nora@agency.example</a>&gt; wrote:<br></div><blockquote
class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);
padding-left:1ex">Hello Amina,<br><br>could you come in on Friday at ten? Please send me your CV
before.<br><br>Nora</blockquote></div>"""

INVITATION = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//demo//EN
METHOD:REQUEST
BEGIN:VEVENT
UID:interview@demo.example
SUMMARY:Interview: Amina Diallo
DTSTART;TZID=Europe/Berlin:{day}T100000
DTEND;TZID=Europe/Berlin:{day}T113000
LOCATION:Kestrel Analytics\\, Room 4
DESCRIPTION:The north entrance. https://meet.example/room-4
ORGANIZER;CN=Priya Raman:mailto:priya@kestrel.example
ATTENDEE;CN=Amina Diallo;PARTSTAT=ACCEPTED:mailto:amina.diallo@mail.example
ATTENDEE;CN=Nora Keller;PARTSTAT=NEEDS-ACTION:mailto:nora@agency.example
SEQUENCE:0
STATUS:CONFIRMED
END:VEVENT
END:VCALENDAR
"""

REPORT = """Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="part"

--part
Content-Type: text/plain

The mail could not be delivered: the mailbox is full.
--part
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.agency.example

Final-Recipient: rfc822; mei.tanaka@mail.example
Action: failed
Status: 5.2.2
Diagnostic-Code: smtp; 552 5.2.2 Mailbox full

--part
Content-Type: text/rfc822-headers

From: Nora Keller <nora@agency.example>
To: Mei Tanaka <mei.tanaka@mail.example>
Subject: Are you still looking?
Message-ID: <m1@demo.example>

--part--
"""

_CV = (
    (20, "Amina Diallo"),
    (11, "Data engineer, Hamburg"),
    (11, ""),
    (14, "Experience"),
    (11, "2021 to today: Senior engineer, Tidewater Shipping"),
    (11, "Moved 40 reports from nightly batches to streams; nine months, no lost day."),
    (11, "2017 to 2021: Engineer, Lantern Books"),
    (11, ""),
    (14, "Languages"),
    (11, "French, English, German"),
)


def curriculum_vitae() -> bytes:
    """Return a PDF of one page (ISO 32000-1) that readers open."""
    lines = "".join(f"/F {size} Tf 0 -{size * 1.7:.0f} Td ({text}) Tj\n" for size, text in _CV)
    content = f"BT 64 780 Td\n{lines}ET"
    objects = (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        "/Resources << /Font << /F 5 0 R >> >> >>",
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    file, places = "%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(file))
        file += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    size, start = len(objects) + 1, len(file)
    file += f"xref\n0 {size}\n0000000000 65535 f \n{table}"
    file += f"trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
    return file.encode("ascii")
