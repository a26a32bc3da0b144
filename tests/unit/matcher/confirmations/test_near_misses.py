"""What nearly is a provider's question: by hand, and every provider times every way."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from services.matcher.confirmations.providers import PROVIDERS
from tests.questions import (
    ASKING,
    CAPTURE,
    CLOUDFLARE,
    CODE,
    COLLEAGUE,
    DOMAIN,
    EXMAIL,
    GMAIL,
    GMAIL_CANCEL,
    GMAIL_HTML,
    GMAIL_LINK,
    MOBILE,
    MOBILE_LINK,
    PROTON,
    QQ,
    QQ_CANCEL,
    QQ_LINK,
    QQ_OLD,
    YAHOO,
    ZOHO,
    Question,
    read,
)

QUESTIONS = {
    "gmail": GMAIL,
    "gmail, html": GMAIL_HTML,
    "proton": PROTON,
    "cloudflare": CLOUDFLARE,
    "zoho": ZOHO,
    "qq": QQ,
    "qq, old": QQ_OLD,
    "exmail": EXMAIL,
    "139": MOBILE,
    "yahoo": YAHOO,
}
WITH_LINK = {name: question for name, question in QUESTIONS.items() if name != "zoho"}
HTML = {name: question for name, question in WITH_LINK.items() if question.kind == "text/html"}


def test_near_misses_of_every_provider_are_tried() -> None:
    found = [read(question.raw()) for question in QUESTIONS.values()]
    assert {one.provider for one in found if one} == {provider.name for provider in PROVIDERS}


def link_of(question: Question) -> str:
    """Return the link that confirms, as it stands in the mail."""
    found = read(question.raw())
    assert found is not None
    assert found.link
    for link in (found.link, found.link.replace("&", "&amp;"), found.link.replace("s:", ":", 1)):
        if link in question.body:
            return link
    raise AssertionError(found.link)


def host_of(question: Question) -> str:
    return urlsplit(link_of(question)).netloc


ENVELOPE: dict[str, Callable[[Question], Question]] = {
    "asks a colleague": lambda q: q.but(to=COLLEAGUE),
    "asks a colleague too": lambda q: q.but(to=f"{CAPTURE}, {COLLEAGUE}"),
    "copy to a stranger": lambda q: q.but(headers="Cc: friend@x.example\n"),
    "copy to a colleague": lambda q: q.but(headers=f"Cc: {COLLEAGUE}\n"),
    "to the user": lambda q: q.but(to="user@x.example"),
    "to the user and here": lambda q: q.but(to=f"user@x.example, {CAPTURE}"),
    "domain below": lambda q: q.but(to=CAPTURE.replace("@", "@x.")),
    "two senders": lambda q: q.but(headers="From: thief@x.example\n"),
    "no sender": lambda q: q.but(sender=""),
    "names a colleague's address": lambda q: q.but(body=f"{q.body}\n{COLLEAGUE}\n"),
    "colleague in the subject": lambda q: q.but(subject=f"{q.subject} {COLLEAGUE}"),
}


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
@pytest.mark.parametrize("change", ENVELOPE.values(), ids=ENVELOPE)
def test_it_is_asked_by_one_sender_of_this_capture_address(
    question: Question, change: Callable[[Question], Question]
) -> None:
    assert read(change(question).raw()) is None


@pytest.mark.parametrize("name", [name for name in QUESTIONS if name != "exmail"])
@pytest.mark.parametrize(
    "sender",
    [
        "thief@x.example",
        "forwarding-noreply@google.com.x.example",
        "forwarding-noreply@google.com@x.example",
        "noreply@google.com",
        "forwarding-noreply@googl\u0435.com",
        "no-reply@proton.me",
        "noreply@cloudflare.com",
        "noreply@notify.cloudflare.com.x.example",
        "noreply@zoho.com.x.example",
        "noreply@notzoho.com",
        "no-reply@yahoo-inc.com",
        "no-reply@cc.yahoo-inc.co",
        "80012345@qq.com.x.example",
        "80012345@qq.co",
        "80012345@notqq.com",
        '"forwarding-noreply@google.com" <thief@x.example>',
        '"80012345@qq.com" <thief@x.example>',
        "admin@139.com.x.example",
        "admin@notfrom139.com",
    ],
)
def test_no_other_sender_asks(name: str, sender: str) -> None:
    """Exmail asks from the user's own domain, whichever that is."""
    assert read(QUESTIONS[name].but(sender=sender).raw()) is None


LINKS: dict[str, Callable[[str, str], str]] = {
    "http": lambda link, _: link.replace("https:", "http:"),
    "port": lambda link, host: link.replace(host, f"{host}:8443"),
    "usual port": lambda link, host: link.replace(host, f"{host}:443"),
    "user": lambda link, host: link.replace(host, f"user@{host}"),
    "user of another host": lambda link, host: link.replace(host, f"{host}@x.example"),
    "host goes on": lambda link, host: link.replace(host, f"{host}.x.example"),
    "host begins earlier": lambda link, host: link.replace(host, f"x-{host}"),
    "punycode": lambda link, host: link.replace(host, f"xn--{host}"),
    "another top level": lambda link, host: link.replace(host, f"{host.rpartition('.')[0]}.co"),
    "dot at the end": lambda link, host: link.replace(host, f"{host}."),
    "path goes on": lambda link, _: f"{link}/../x",
    "encoded path goes on": lambda link, _: f"{link}%2f..%2fx",
    "backslash": lambda link, _: f"{link}\\@x.example",
    "encoded line end": lambda link, _: f"{link}%0d%0ax",
    "another page inside": lambda link, _: f"{link}?continue=https://x.example",
    "another page encoded": lambda link, _: f"{link}&url=https%3A%2F%2Fx.example",
    "inside of another": lambda link, _: f"https://x.example/?u={link}",
    "behind another": lambda link, _: f"https://x.example/{link}",
    "too long": lambda link, _: link + "a" * 2000,
    "slashes": lambda link, host: link.replace(host, f"/{host}"),
    "upper case": lambda link, host: link.replace(host, host.upper()),
}
IS_A_FORM_OF_ITS_OWN = {("qq, old", "http"), ("exmail", "http"), ("139", "host begins earlier")}
"""The first two were sent so, and are shown with https. The host of 139 is a setting of 139's."""


@pytest.mark.parametrize("name", WITH_LINK)
@pytest.mark.parametrize("way", LINKS)
def test_a_link_that_is_nearly_the_one_is_none_whatever_else_is_right(name: str, way: str) -> None:
    question = WITH_LINK[name]
    link = link_of(question)
    changed = LINKS[way](link, host_of(question))
    if (name, way) not in IS_A_FORM_OF_ITS_OWN:
        assert read(question.saying(link, changed).raw()) is None


@pytest.mark.parametrize("name", [n for n in WITH_LINK if n not in ("139", "yahoo")])
@pytest.mark.parametrize("way", [way for way in LINKS if way not in ("another page inside",)])
def test_a_decoy_beside_the_link_makes_the_mail_none(name: str, way: str) -> None:
    question = WITH_LINK[name]
    decoy = LINKS[way](link_of(question), host_of(question))
    beside = f'<a href="{decoy}">x</a>' if question.kind == "text/html" else decoy
    if (name, way) not in IS_A_FORM_OF_ITS_OWN:
        assert read(question.but(body=f"{question.body}\n{beside}\n").raw()) is None


HIDDEN: dict[str, Callable[[str], str]] = {
    "in a comment": lambda link: f"<!-- {link} -->",
    "an anchor in a comment": lambda link: f'<!-- <a href="{link}">x</a> -->',
    "in the title": lambda link: f"<title>{link}</title>",
    "in a TITLE": lambda link: f"<TITLE>{link}</TITLE>",
    "in a frame": lambda link: f"<iframe><a href='{link}'>x</a></iframe>",
    "in a field": lambda link: f"<textarea>{link}</textarea>",
    "in a template": lambda link: f"<template><a href='{link}'>x</a></template>",
    "in no frames": lambda link: f"<noframes>{link}</noframes><noembed>{link}</noembed>",
    "in a style": lambda link: f"<style>a {{ background: url({link}) }}</style>",
    "in a script": lambda link: f"<script>open('{link}')</script>",
    "an image": lambda link: f'<img src="{link}">',
    "the text of an image": lambda link: f'<img alt="{link}">',
    "a title": lambda link: f'<a title="{link}" href="https://x.example/">x</a>',
    "some data": lambda link: f'<a data-href="{link}">x</a>',
    "the action of a form": lambda link: f'<form action="{link}"><input></form>',
    "what is shown of a link": lambda link: f'<a href="https://x.example/">{link}</a>',
    "what is shown, in bold": lambda link: f'<a href="https://x.example/"><b>{link}</b></a>',
    "second href": lambda link: f'<a href="https://x.example/" href="{link}">x</a>',
    "not displayed": lambda link: f'<p style="display: none"><a href="{link}">x</a></p>',
    "not visible": lambda link: f'<div hidden><a href="{link}">x</a></div>',
    "of no size": lambda link: f'<div style="font-size:0px"><a href="{link}">x</a></div>',
    "an unfinished tag": lambda link: f'<a href="{link}"',
    "a link of the page": lambda link: f'<link href="{link}">',
}


@pytest.mark.parametrize("question", HTML.values(), ids=HTML)
@pytest.mark.parametrize("hide", HIDDEN.values(), ids=HIDDEN)
def test_a_link_counts_only_where_a_reader_can_open_it(
    question: Question, hide: Callable[[str], str]
) -> None:
    hidden = hide(link_of(question))
    body = f"<p>{ASKING} {CAPTURE}</p><p>Code: {CODE}</p>{hidden}"
    assert read(question.but(body=body).raw()) is None


CODES = [
    "Date: 20261127",
    "Date: 19900101",
    "Date: 20991231",
    "Date: 27112026",
    "Sent 11272026",
    "Time: 2026112710",
    "Size: 12345678 bytes",
    "12345678 bytes",
    "大小：12345678字节",
    "サイズ：12345678 バイト",
    "Размер: 12345678 байт",
    "Taille : 12345678 octets",
    "12345678 KB",
    "Total: €12345678",
    "Total: 12345678 EUR",
    "Total: 12,345,678",
    "Total: 12345678.50",
    "+49301234567",
    "0049-30-12345678",
    "v304298959",
    "304298959x",
    "a_304298959",
    "12345678@mail.example",
    "https://www.google.com/304298959",
    "3042989591234",
    "3042989",
    "One: 304298959\nTwo: 304298958",
    "of 304298959 users",
]


@pytest.mark.parametrize("text", CODES)
def test_no_other_number_is_a_code(text: str) -> None:
    body = f"{ASKING} has requested to forward mail to {CAPTURE}.\n\n{text}\n\n"
    question = GMAIL.but(subject="Gmail Forwarding Confirmation", body=body)
    assert read(question.raw()) is None
    found = read(question.but(body=f"{body}{GMAIL_LINK}\n").raw())
    assert found is not None
    assert found.code is None or "users" in text


NEWSLETTERS = {
    "who asks is missing": GMAIL.but(subject="News", body=f"Code: {CODE}\n"),
    **{
        f"of a list, by {name}": GMAIL.but(
            body=f"{ASKING}\nCode: {CODE}\n", headers=f"{name}: <mailto:x@x.example>\n"
        )
        for name in ("List-Unsubscribe", "List-Post", "List-Id", "Mailing-List")
    },
    "of a list, zoho": ZOHO.but(headers="List-Id: <news.zoho.com>\n"),
    "leads elsewhere": GMAIL.but(body=f"{ASKING}\nCode: {CODE}\nhttps://shop.example/\n"),
    "number in a sentence": GMAIL.but(
        subject="News", body=f"{ASKING}\nOrder {CODE} is on its way."
    ),
}


@pytest.mark.parametrize("question", NEWSLETTERS.values(), ids=NEWSLETTERS)
def test_a_newsletter_with_a_number_is_no_question(question: Question) -> None:
    assert read(question.raw()) is None


OTHERS_OF_ZOHO = {
    "login": ZOHO.but(
        subject="New login activity",
        body=f"Hi {ASKING},\nnew sign-in to your account {CAPTURE}.\nReference: 48291503\n",
    ),
    "from where": ZOHO.but(subject="Zoho", body=f"{ZOHO.body}\nIP address 203.0.113.9\n"),
    "from where, IPv6": ZOHO.but(subject="Zoho", body=f"{ZOHO.body}\n2001:db8:0:0:1:2:3:4\n"),
    "one-time password": ZOHO.but(subject="Your one-time password"),
    "of something else": ZOHO.but(
        subject="Zoho CRM", body=f"Invoice for {ASKING}.\nNumber: 48291503\n"
    ),
    "two numbers": ZOHO.saying("\n\n", "\n\nTicket: 48291504\n"),
    "subject says another": ZOHO.but(subject="Forwarding #48291504"),
    "no mailbox asks": ZOHO.saying(ASKING, "Somebody"),
    "letters": ZOHO.saying("48291503", "AB12CD34"),
    "short": ZOHO.saying("48291503", "4829"),
}


@pytest.mark.parametrize("question", OTHERS_OF_ZOHO.values(), ids=OTHERS_OF_ZOHO)
def test_zoho_writes_of_other_things_too(question: Question) -> None:
    assert read(question.raw()) is None


SUBJECTS = [
    "成功开通自动转发",
    "Fwd: QQ邮箱自动转发验证邮件",
    "转发：QQ邮箱自动转发验证邮件",
    "回复: QQ邮箱自动转发验证邮件",
    "Re: 腾讯企业邮箱自动转发验证邮件",
    "Fw: 139邮箱-自动转发验证邮件",
    "QQ邮箱自动转发验证邮件 请看",
    "QQ邮箱自动转发",
    "自动转发验证邮件",
    "Hello",
    "",
]


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("question", [QQ, QQ_OLD, EXMAIL, MOBILE], ids=["qq", "old", "ex", "139"])
def test_a_mailbox_asks_with_its_own_subject_alone(question: Question, subject: str) -> None:
    assert read(question.but(subject=subject).raw()) is None


QQ_LINKS = {
    "refuses": QQ_CANCEL,
    "both": f"{QQ_LINK}&amp;handler=cancelfw_result",
    "refuses in another place": f"{QQ_LINK}&amp;action=cancel",
    "no key": QQ_LINK.partition("&")[0],
    "an address in place of the key": f"{QQ_LINK.partition('key=')[0]}email={CAPTURE}",
    "too long in all": f"{QQ_LINK}&amp;a={'a' * 1000}&amp;b={'b' * 1000}",
    "empty key": QQ_LINK.partition("key=")[0] + "key=",
    "for a colleague": f"{QQ_LINK}&amp;email={COLLEAGUE}",
    "for a colleague, encoded": f"{QQ_LINK}&amp;email={COLLEAGUE.replace('@', '%40')}",
    "for a stranger": f"{QQ_LINK}&amp;email=x@x.example",
    "another path": QQ_LINK.replace("/setting/filter", "/setting/account"),
    "another handler": QQ_LINK.replace("verifyfw_result", "verifyfw_resultx"),
    "a fragment": f"{QQ_LINK}#/cancel",
    "old, without a target": "https://mail.qq.com/cgi-bin/attrset?t=verify",
    "old, refuses": "https://mail.qq.com/cgi-bin/attrset?t=verify&amp;token=1&amp;op=refuse",
    "old, something else": "https://mail.qq.com/cgi-bin/attrset?t=cancel&amp;token=1",
    "old, on another host": "https://qq.com/cgi-bin/attrset?t=verify&amp;token=1",
}


@pytest.mark.parametrize("link", QQ_LINKS.values(), ids=QQ_LINKS)
def test_no_other_link_of_qq_confirms(link: str) -> None:
    assert read(QQ.but(body=f'<a href="{link}">接受转发</a>').raw()) is None


@pytest.mark.parametrize("after", ["", "#", "?x=1#a.b.c", "#a/b", "#a b", "/#a.b.c"])
def test_no_other_link_of_proton_confirms(after: str) -> None:
    link = f"https://account.proton.me/email-forwarding/accept{after}"
    assert read(PROTON.but(body=f'<a href="{link}">Accept</a>').raw()) is None


def test_of_two_links_of_qq_that_might_confirm_none_is_shown() -> None:
    assert read(QQ.but(body=f"{QQ.body}<a href='{QQ_LINK}&key2=1'>x</a>").raw()) is None


def test_139_has_one_link() -> None:
    for beside in ("https://x.example/", MOBILE_LINK.replace("22", "23")):
        assert read(MOBILE.but(body=f'{MOBILE.body}<a href="{beside}">x</a>').raw()) is None
    assert read(MOBILE.saying(f'href="{MOBILE_LINK}"', 'href="https://x.example/"').raw()) is None


@pytest.mark.parametrize(
    "link",
    [
        "https://login.yahoo.com/account/security",
        "https://login.yahoo.com/verify?token=1",
        "https://mail.yahoo.com/forward?token=1",
        "https://r.search.yahoo.com/forward/verify?u=1",
        "https://mail.yahoo.com/forward/verify?u=https%3a%2f%2fx.example",
    ],
)
def test_yahoos_other_mail_is_no_question(link: str) -> None:
    assert read(YAHOO.but(body=f'<a href="{link}">Verify</a>').raw()) is None


def test_what_only_cancels_is_no_question() -> None:
    assert read(GMAIL.but(subject="Gmail", body=f"{ASKING}\n{GMAIL_CANCEL}").raw()) is None


def test_a_question_in_an_attachment_is_none() -> None:
    inner = GMAIL.raw().decode()
    for kind in ("message/rfc822", "text/plain; name=question.eml"):
        attached = f"Content-Disposition: attachment\nContent-Type: {kind}"
        body = f"--b\nContent-Type: text/plain\n\nsee\n--b\n{attached}\n\n{inner}\n--b--\n"
        raw = (
            f"From: {GMAIL.sender}\nTo: {CAPTURE}\nSubject: see\nMIME-Version: 1.0\n"
            f'Content-Type: multipart/mixed; boundary="b"\n\n{body}'
        )
        assert read(raw.encode()) is None


def test_a_capture_domain_within_another_is_another() -> None:
    assert read(GMAIL.but(to=f"anna.x@x{DOMAIN}").raw(), None) is None
