"""Every provider's question is recognised, in every language, and what the owner needs is in it."""

import pytest

from services.matcher.confirmations import Confirmation
from services.matcher.confirmations.providers import PROVIDERS
from tests.questions import (
    ASKING,
    CAPTURE,
    CLOUDFLARE,
    CLOUDFLARE_LINK,
    CODE,
    COLLEAGUE,
    EXMAIL,
    GMAIL,
    GMAIL_CANCEL,
    GMAIL_HTML,
    GMAIL_LINK,
    MOBILE,
    MOBILE_LINK,
    PROTON,
    PROTON_LINK,
    QQ,
    QQ_LINK,
    QQ_OLD,
    QQ_OLD_LINK,
    YAHOO,
    YAHOO_LINK,
    ZOHO,
    Question,
    read,
)

QUESTIONS = {
    "gmail": (GMAIL, Confirmation("gmail", ASKING, CODE, GMAIL_LINK)),
    "gmail, html": (GMAIL_HTML, Confirmation("gmail", ASKING, CODE, GMAIL_LINK)),
    "workspace with a brand": (
        GMAIL.but(
            sender="SWG Team <forwarding-noreply@google.com>",
            subject=f"(#{CODE}) SWG Forwarding Confirmation - Receive Mail from {ASKING}",
        ),
        Confirmation("gmail", ASKING, CODE, GMAIL_LINK),
    ),
    "proton": (PROTON, Confirmation("proton", "anna@proton.me", None, PROTON_LINK)),
    "cloudflare": (CLOUDFLARE, Confirmation("cloudflare", None, None, CLOUDFLARE_LINK)),
    "zoho": (ZOHO, Confirmation("zoho", ASKING, "48291503", None)),
    "zoho in Europe": (
        ZOHO.but(sender="noreply@zoho.eu"),
        Confirmation("zoho", ASKING, "48291503", None),
    ),
    "qq": (QQ, Confirmation("qq", "80012345@qq.com", None, f"{QQ_LINK}&email={CAPTURE}")),
    "foxmail, older form over http": (
        QQ_OLD,
        Confirmation("qq", "anna@foxmail.com", None, QQ_OLD_LINK),
    ),
    "tencent exmail": (
        EXMAIL,
        Confirmation("tencent-exmail", ASKING, None, QQ_OLD_LINK.replace("mail.qq", "exmail.qq")),
    ),
    "139": (MOBILE, Confirmation("china-mobile", "13800000000@139.com", None, MOBILE_LINK)),
    "yahoo": (YAHOO, Confirmation("yahoo", "anna@yahoo.com", None, YAHOO_LINK)),
}


def test_every_provider_has_a_question_that_is_tried() -> None:
    tried = {confirmation.provider for _, confirmation in QUESTIONS.values()}
    assert {provider.name for provider in PROVIDERS} == tried


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "8bit"])
@pytest.mark.parametrize(("question", "asked"), QUESTIONS.values(), ids=QUESTIONS)
def test_what_a_provider_asks(question: Question, asked: Confirmation, encoding: str) -> None:
    assert read(question.but(encoding=encoding).raw()) == asked


@pytest.mark.parametrize(("question", "asked"), QUESTIONS.values(), ids=QUESTIONS)
def test_it_is_recognised_where_the_capture_address_is_not_said(
    question: Question, asked: Confirmation
) -> None:
    assert read(question.raw(), None) == asked


@pytest.mark.parametrize("question", [QQ, QQ_OLD, EXMAIL], ids=["qq", "old", "exmail"])
@pytest.mark.parametrize("charset", ["gb18030", "gbk", "utf-8"])
def test_chinese_in_any_charset(question: Question, charset: str) -> None:
    assert read(question.but(charset=charset).raw()) == read(question.raw())


SUBJECTS = {
    "en": (f"(#{CODE}) Gmail Forwarding Confirmation - Receive Mail from {ASKING}", True),
    "en, no code": (f"(Gmail Forwarding Confirmation - Receive Mail from {ASKING}", False),
    "ja": (f"（#{CODE}）SWG の転送の確認 - {ASKING} からメールを受信", True),
    "ja, half open": (f"（Gmail の転送の確認 - {ASKING} からメールを受信", False),
    "es": (f"Confirmación de reenvío de {CODE} (n.º Gmail) - Recibir correo de {ASKING}", True),
    "fr": (f"(n° {CODE}) Confirmation de transfert Gmail – Recevoir le courrier de {ASKING}", True),
    "fr, no code": (f"(Gmail) Confirmation de transfert – {ASKING}", False),
    "zh": (f"(#{CODE}) Gmail 转发确认 - 接收来自 {ASKING} 的邮件", True),
    "zh, no code": ("(Gmail) 转发确认", False),
    "zh-TW": (f"（#{CODE}）Gmail 轉寄確認", True),
    "de": (f"(#{CODE}) Gmail-Weiterleitungsbestätigung – E-Mails von {ASKING} erhalten", True),
    "it": (f"Conferma di inoltro di Gmail (n. {CODE})", True),
    "pt": (f"(nº {CODE}) Confirmação de encaminhamento do Gmail", True),
    "ru": (f"(№{CODE}) Подтверждение пересылки Gmail", True),
    "ko": (f"(#{CODE}) Gmail 전달 확인", True),
    "ar": ("(Gmail) تأكيد إعادة التوجيه", False),
    "ar, own digits": ("(#٣٠٤٢٩٨٩٥٩) تأكيد إعادة التوجيه", True),
    "he": (f"(#\u200e{CODE}\u200e) אישור העברה", True),
    "tr": (f"(#{CODE}) Gmail Yönlendirme Onayı", True),
    "nb": (f"Bekreftelse på videresending – {ASKING}", False),
    "fi": (f"Gmailin edelleenlähetyksen vahvistus – {ASKING}", False),
}


@pytest.mark.parametrize(("subject", "has_code"), SUBJECTS.values(), ids=SUBJECTS)
def test_gmail_in_many_languages(subject: str, has_code: bool) -> None:
    expected = Confirmation("gmail", ASKING, CODE if has_code else None, GMAIL_LINK)
    body = f"{ASKING} → {CAPTURE}\n\n{GMAIL_LINK}\n\n{GMAIL_CANCEL}\n"
    assert read(GMAIL.but(subject=subject, body=body).raw()) == expected


BODIES = {
    "es": f"Código de confirmación: {CODE}",
    "fr": f"Code de confirmation : {CODE}",
    "ja": f"確認コード：{CODE}",
    "ja, in a sentence": f"確認コードは{CODE}です。",
    "ja, full-width digits": "確認コード：３０４２９８９５９",
    "zh": f"确认码：{CODE}。",
    "de": f"Bestätigungscode: {CODE}",
    "el": f"Κωδικός επιβεβαίωσης: {CODE}",
    "hi": "पुष्टिकरण कोड: ३०४२९८९५९",
    "th": f"รหัสยืนยัน {CODE}",
    "ar": f"رمز التأكيد: \u2067{CODE}\u2069",
    "alone on its line": f"Kode:\n\n{CODE}\n",
    "in bold": f"Code: *{CODE}*",
}


@pytest.mark.parametrize("line", BODIES.values(), ids=BODIES)
def test_the_code_of_a_body_in_many_languages(line: str) -> None:
    body = f"{ASKING} → {CAPTURE}\n\n{line}\n\n{GMAIL_LINK}\n\n{GMAIL_CANCEL}\n"
    expected = Confirmation("gmail", ASKING, CODE, GMAIL_LINK)
    assert read(GMAIL.but(subject="Gmail", body=body).raw()) == expected


@pytest.mark.parametrize(
    "text",
    [
        f"{ASKING} asks to forward mail to you. Code 304298 for this.",
        f"{ASKING} möchte E-Mails weiterleiten.\n\n304298",
        f"Reenviar: {ASKING}\nCódigo: 304298",
        f"{ASKING} → {CAPTURE}\n確認コード：304298",
        f"<p>{ASKING} to {CAPTURE}</p><table><tr><td>Code</td><td><b>304298</b></td></tr></table>",
    ],
)
def test_zohos_code_wherever_it_stands(text: str) -> None:
    kind = "text/html" if "<" in text else "text/plain"
    found = read(ZOHO.but(subject="Zoho Mail", body=text, kind=kind).raw())
    assert found == Confirmation("zoho", ASKING, "304298", None)


def test_a_zoho_mailbox_may_be_at_zoho() -> None:
    found = read(ZOHO.saying(ASKING, "anna@zohomail.com").raw())
    assert found is not None
    assert found.requested_by == "anna@zohomail.com"


def test_the_header_that_repeats_a_code_chooses_among_numbers_and_adds_none() -> None:
    body = f"{ASKING}\n{GMAIL_LINK}\nReference: 41670487\nCode: {CODE}\n"
    question = GMAIL.but(subject="Gmail", body=body)
    for value, code in ((CODE, CODE), ("41670487", "41670487"), ("999999999", None), ("x", None)):
        found = read(question.but(headers=f"X-Google-Address-Confirmation: {value}\n").raw())
        assert found is not None
        assert found.code == code


def test_the_link_that_cancels_is_never_shown() -> None:
    for question, _ in QUESTIONS.values():
        found = read(question.raw())
        assert found is not None
        assert not any(word in str(found.link) for word in ("/uf-", "decline", "cancel"))


def test_a_rotated_address_is_still_asked_for_its_owner() -> None:
    body = GMAIL.body.replace(CAPTURE, COLLEAGUE)
    assert read(GMAIL.but(to=COLLEAGUE, body=body).raw(), COLLEAGUE) is not None


def test_of_several_numbers_the_one_that_stands_out_is_the_code() -> None:
    body = f"{ASKING}\nOf 304298958 users\nCode: {CODE}\n{GMAIL_LINK}\n"
    found = read(GMAIL.but(subject="Gmail", body=body).raw())
    assert found == Confirmation("gmail", ASKING, CODE, GMAIL_LINK)


def test_a_number_that_is_no_date_of_our_time_is_a_code() -> None:
    for number in ("19891231", "21000101", "20261301", "20261132", "20260001", "20261100"):
        found = read(GMAIL.but(subject="Gmail", body=f"{ASKING}\n{number}\n").raw())
        assert found == Confirmation("gmail", ASKING, number, None)


def test_html_may_be_written_in_capitals_with_comments_and_line_ends() -> None:
    link = f"{GMAIL_LINK[:50]}\n{GMAIL_LINK[50:]}"
    body = f"<P>{ASKING}</P><P>Code: 3042<!-- x -->98959</P><A CLASS=x HREF=' {link} '>x</A>"
    found = read(GMAIL_HTML.but(subject="Gmail", body=body).raw())
    assert found == Confirmation("gmail", ASKING, CODE, GMAIL_LINK)


def test_zohos_mail_may_have_links() -> None:
    body = f"{ZOHO.body}\nhttps://www.zoho.com/mail/ https://social.example/zoho\n"
    assert read(ZOHO.but(body=body).raw()) == Confirmation("zoho", ASKING, "48291503", None)
