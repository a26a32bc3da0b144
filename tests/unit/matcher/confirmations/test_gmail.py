"""Gmail's confirmations, however they are written, and what a forged one can do."""

import base64
import quopri

import pytest

from services.matcher.confirmations import Confirmation, may_be_confirmation, read_confirmation
from shared.mail.headers import read_header_block
from tests.questions import (
    ASKING,
    CAPTURE,
    DOMAIN,
    GMAIL_CANCEL,
    GMAIL_LINK,
    GMAIL_SETTINGS,
    TOKEN,
    read,
)

GMAIL = "Gmail Team <forwarding-noreply@google.com>"
ENGLISH = f"""{ASKING} has requested to automatically forward mail to your email
address {CAPTURE}.
Confirmation code: 304298959

To allow {ASKING} to automatically forward mail to your address,
please click the link below to confirm the request:

{GMAIL_LINK}

If you accidentally clicked the link, click this one to cancel:
{GMAIL_CANCEL}

Please visit: https://support.google.com/mail/bin/answer.py?answer=18497312.
"""
GERMAN = f"""{ASKING} möchte E-Mails automatisch an {CAPTURE} weiterleiten.
Bestätigungscode: 304298959

{GMAIL_LINK}

Abbrechen: {GMAIL_CANCEL}
"""
FRENCH = f"""{ASKING} souhaite transférer ses messages à votre adresse ({CAPTURE}).
Code de confirmation : 304298959

{GMAIL_LINK}
"""
JAPANESE = f"""{ASKING} さんから{CAPTURE}へのメールの自動転送がリクエストされました。
確認コード\uff1a304298959

承認するには{GMAIL_LINK}。取り消すには{GMAIL_CANCEL}。
"""
ARABIC = f"""طلب {ASKING} إعادة توجيه البريد تلقائيًا إلى {CAPTURE}.

{GMAIL_LINK}
"""


def mail(
    body: str = ENGLISH,
    *,
    sender: str = GMAIL,
    to: str = CAPTURE,
    subject: str = f"Gmail Forwarding Confirmation - Receive Mail from {ASKING}",
    content_type: str = "text/plain",
    encoding: str = "8bit",
    headers: str = "",
) -> bytes:
    data = body.encode()
    if encoding == "base64":
        data = base64.encodebytes(data)
    elif encoding == "quoted-printable":
        data = quopri.encodestring(data)
    head = (
        f"From: {sender}\nTo: {to}\nSubject: {subject}\n{headers}MIME-Version: 1.0\n"
        f"Content-Type: {content_type}; charset=UTF-8\nContent-Transfer-Encoding: {encoding}\n\n"
    )
    return (head.encode() + data).replace(b"\n", b"\r\n")


def test_what_gmail_asks() -> None:
    assert read(mail()) == Confirmation("gmail", ASKING, "304298959", GMAIL_LINK)


@pytest.mark.parametrize(
    ("subject", "body", "code"),
    [
        (f"(#304298959) Gmail Forwarding Confirmation - Receive Mail from {ASKING}", ENGLISH, True),
        (f"(#304298959) Firm Forwarding Confirmation - Receive Mail from {ASKING}", ENGLISH, True),
        (f"(#304298959) Gmail-Weiterleitungsbestätigung - Mail von {ASKING}", GERMAN, True),
        (f"(#304298959) Confirmation de transfert Gmail de {ASKING}", FRENCH, True),
        (f"(#304298959) Gmail の転送の確認 - {ASKING}からのメール", JAPANESE, True),
        ("Gmail", JAPANESE, True),
        (f"(Gmail) تأكيد إعادة التوجيه من {ASKING}", ARABIC, False),
    ],
    ids=["en", "workspace", "de", "fr", "ja", "ja, body alone", "ar, link alone"],
)
def test_in_every_language(subject: str, body: str, code: bool) -> None:
    word = base64.b64encode(subject.encode()).decode()
    for written in (subject, f"=?UTF-8?B?{word}?="):
        expected = Confirmation("gmail", ASKING, "304298959" if code else None, GMAIL_LINK)
        assert read(mail(body, subject=written)) == expected


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
@pytest.mark.parametrize("body", [ENGLISH, JAPANESE])
def test_however_it_is_encoded(encoding: str, body: str) -> None:
    raw = mail(body, encoding=encoding)
    assert GMAIL_LINK.encode() not in raw  # folded by soft line breaks, or not to be seen at all
    assert read(raw) == Confirmation("gmail", ASKING, "304298959", GMAIL_LINK)


@pytest.mark.parametrize(
    "link",
    [
        f"https://mail.google.com/mail/vf-{TOKEN}",
        f"https://mail.google.com/mail/u/0/vf-{TOKEN}",
        "https://isolated.mail.google.com/mail/vf-fd4666a8da-anna%40in.satchel.test-3hqNMJvuyl",
    ],
)
def test_gmails_other_hosts(link: str) -> None:
    found = read(mail(f"{link}\n{link.replace('vf-', 'uf-')}"))
    assert found is not None
    assert found.link == link


@pytest.mark.parametrize(
    "after", [".", ",", ")", ">", "]", '"', "。", "\u3000次", " and so on", "\n"]
)
def test_what_follows_a_link_is_not_part_of_it(after: str) -> None:
    found = read(mail(f"({GMAIL_LINK}{after}"))
    assert found is not None
    assert found.link == GMAIL_LINK


def test_the_asking_address_may_be_in_the_body_alone_and_anywhere() -> None:
    found = read(mail(f"<O'Neil+x@GoogleMail.com> ... {CAPTURE}\n{GMAIL_LINK}", subject="Gmail"))
    assert found is not None
    assert found.requested_by == "o'neil+x@googlemail.com"


def test_and_may_be_missing() -> None:
    body = f"{GMAIL_LINK}\nto {CAPTURE}, by forwarding-noreply@google.com, jürgen@mail.example, a@b"
    assert read(mail(body, subject="Gmail")) == Confirmation("gmail", None, None, GMAIL_LINK)


def test_a_code_without_a_link() -> None:
    body = f"{ASKING}\nCode 304298959\n{GMAIL_CANCEL}"
    assert read(mail(body)) == Confirmation("gmail", ASKING, "304298959", None)
    found = read(mail(f"Cancel: {GMAIL_CANCEL}", subject=f"(#43643746) {ASKING}"))
    assert found == Confirmation("gmail", ASKING, "43643746", None)


def test_what_is_no_code() -> None:
    body = f"+49301234567 12345678@mail.example 3042989591234 v304298959 {GMAIL_LINK}?304298959"
    assert read(mail(body)) is None


def test_html_alone() -> None:
    body = f"""<html><head><style>p {{ color: #12345678 }}</style><!-- 987654321 --></head><body>
      <p data-id="987654321"><b>{ASKING.replace("@", "&#64;")}</b> asks. Code: 304298959</p>
      <a class="x" href="{GMAIL_CANCEL.replace("-", "&#45;")}">cancel</a>
      <a href='{GMAIL_LINK.replace("%", "&#37;")}'>confirm</a></body></html>"""
    found = read(mail(body, subject="Gmail", content_type="text/html"))
    assert found == Confirmation("gmail", ASKING, "304298959", GMAIL_LINK)


@pytest.mark.parametrize(
    "case",
    [
        {"sender": "Gmail Team <forwarding-noreply@google.com.x.example>"},
        {"sender": "Gmail Team <noreply@google.com>"},
        {"sender": '"forwarding-noreply@google.com" <thief@x.example>'},
        {"sender": "forwarding-noreply@google.com, thief@x.example"},
        {"headers": "From: thief@x.example\n"},
        {"sender": "thief@x.example", "headers": f"Reply-To: {GMAIL}\nSender: {GMAIL}\n"},
        {"sender": "'Gmail' via List <l@x.example>", "headers": f"X-Original-From: {GMAIL}\n"},
        {"sender": ""},
        {"to": f"{CAPTURE}, friend@x.example"},
        {"to": "user@firm.example"},
        {"to": f"anna@x{DOMAIN}"},
        {"headers": "Cc: friend@x.example\n"},
    ],
    ids=lambda case: str(case),
)
def test_who_else_writes_or_is_written_to_makes_it_ordinary_mail(case: dict[str, str]) -> None:
    assert not may_be_confirmation(read_header_block(mail(**case)), DOMAIN)


@pytest.mark.parametrize("to", [CAPTURE.upper(), "", f"<{CAPTURE}>, Anna <{CAPTURE}>"])
def test_its_recipient_is_the_capture_address_if_there_is_any(to: str) -> None:
    header = read_header_block(mail(to=to, sender=GMAIL.upper()))
    assert may_be_confirmation(header, DOMAIN)
    assert may_be_confirmation(header, DOMAIN, CAPTURE)


def test_nothing_is_read_of_another_sender() -> None:
    raw = mail(sender="thief@x.example")
    assert read_confirmation(read_header_block(raw), raw, DOMAIN, CAPTURE) is None


@pytest.mark.parametrize(
    "link",
    [
        GMAIL_CANCEL,
        GMAIL_LINK.replace("https:", "http:"),
        GMAIL_LINK.replace("google.com", "google.com.x.example"),
        GMAIL_LINK.replace("google.com", "google.com@x.example"),
        GMAIL_LINK.replace("google.com", "google.com:8443"),
        GMAIL_LINK.replace("mail-settings.google", "accounts.google"),
        GMAIL_LINK.replace("mail-settings.", "mail-settings-"),
        GMAIL_LINK.replace("https://", "https://user@"),
        f"https://x.example/?u={GMAIL_LINK}",
        f"https://x.example/{GMAIL_LINK}",
        f"{GMAIL_SETTINGS}/vf-",
        f"{GMAIL_SETTINGS}/vf-x/../../url?q=https://x.example",
        f"{GMAIL_LINK}/../uf-x",
        f"{GMAIL_LINK}?continue=https://x.example",
        f"{GMAIL_LINK}#x",
        f"{GMAIL_LINK}\\@x.example",
        f"{GMAIL_SETTINGS}/vf-{'a' * 2000}",
        f"{GMAIL_SETTINGS}/?x=/mail/vf-{TOKEN}",
    ],
)
def test_no_other_link_is_shown(link: str) -> None:
    assert read(mail(link)) is None
    assert read(mail(f'<a href="{link}">confirm</a>', content_type="text/html")) is None
    is_decoy = link != GMAIL_CANCEL
    code_alone = Confirmation("gmail", ASKING, "304298959", None)
    assert read(mail(f"{link}\n304298959")) == (None if is_decoy else code_alone)


def test_of_a_mail_that_is_cut_the_rest_is_read() -> None:
    assert read(mail()[:900]) is not None
    assert read(mail()[:300]) is None
