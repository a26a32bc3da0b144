"""Providers' questions whether they may forward to a capture address, as mails."""

import base64
import quopri
from dataclasses import dataclass, replace
from email.header import Header

from services.matcher.confirmations import Confirmation, may_be_confirmation, read_confirmation
from shared.mail.headers import read_header_block

DOMAIN = "in.satchel.test"
CAPTURE = f"anna.q7h2mzk4abcde@{DOMAIN}"
COLLEAGUE = f"bo.w3rtzmk5fghij@{DOMAIN}"
ASKING = "anna@firm.example"
CODE = "304298959"
TOKEN = "%5BANGjdJ-0x_Example" + "Ab3-_" * 20 + "%5D-Zz9_tail"
GMAIL_SETTINGS = "https://mail-settings.google.com/mail"
GMAIL_LINK = f"{GMAIL_SETTINGS}/vf-{TOKEN}"
GMAIL_CANCEL = f"{GMAIL_SETTINGS}/uf-{TOKEN}"
PROTON_LINK = "https://account.proton.me/email-forwarding/accept#eyJ0eXAi.eyJzdWIi.c2ln-bmF0_dXJl"
CLOUDFLARE_LINK = f"https://dash.cloudflare.com/email_fwdr/verify?token=9C{'exam_-ple' * 28}"
QQ_LINK = "https://wx.mail.qq.com/setting/filter?handler=verifyfw_result&key=Zx81_kq-7"
QQ_CANCEL = QQ_LINK.replace("verifyfw", "cancelfw")
QQ_OLD_LINK = "https://mail.qq.com/cgi-bin/attrset?t=verify&token=9af3c1"
MOBILE_LINK = "https://mail.10086.cn/setting/forwardVerify.do?sid=9af3c1&k=22"
YAHOO_LINK = "https://mail.yahoo.com/settings/forwarding/verify?token=9af3c1"


@dataclass(frozen=True)
class Question:
    """A mail that asks, or nearly so."""

    sender: str
    subject: str
    body: str
    to: str = CAPTURE
    kind: str = "text/plain"
    charset: str = "utf-8"
    encoding: str = "base64"
    headers: str = ""

    def raw(self) -> bytes:
        """Return the mail."""
        data = self.body.encode(self.charset)
        if self.encoding == "base64":
            data = base64.encodebytes(data)
        elif self.encoding == "quoted-printable":
            data = quopri.encodestring(data)
        subject = Header(self.subject, self.charset, maxlinelen=70).encode()
        to = f"To: {self.to}\n" if self.to else ""
        head = (
            f"From: {self.sender}\n{to}Subject: {subject}\n{self.headers}MIME-Version: 1.0\n"
            f"Content-Type: {self.kind}; charset={self.charset}\n"
            f"Content-Transfer-Encoding: {self.encoding}\n\n"
        )
        return (head.encode() + data).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")

    def but(self, **changes: str) -> "Question":
        """Return the same mail with something else in it."""
        return replace(self, **changes)

    def saying(self, old: str, new: str) -> "Question":
        """Return the same mail with something else in its body."""
        assert old in self.body
        return replace(self, body=self.body.replace(old, new))


def read(raw: bytes, capture_address: str | None = CAPTURE) -> Confirmation | None:
    """Return what a mail asks."""
    header = read_header_block(raw)
    if not may_be_confirmation(header, DOMAIN, capture_address):
        return None
    return read_confirmation(header, raw, DOMAIN, capture_address)


GMAIL = Question(
    sender="Gmail Team <forwarding-noreply@google.com>",
    subject=f"(#{CODE}) Gmail Forwarding Confirmation - Receive Mail from {ASKING}",
    body=f"""{ASKING} has requested to automatically forward mail to your email
address {CAPTURE}.
Confirmation code: {CODE}

To allow {ASKING} to automatically forward mail to your address,
please click the link below to confirm the request:

{GMAIL_LINK}

If you accidentally clicked the link, click this one to cancel:
{GMAIL_CANCEL}

Please visit: https://support.google.com/mail/bin/answer.py?answer=18497312.
""",
)
GMAIL_HTML = GMAIL.but(
    kind="text/html",
    body=f"""<html><head><title>Gmail</title></head><body>
<p><b>{ASKING}</b> has requested to automatically forward mail to {CAPTURE}.</p>
<p>Confirmation code: {CODE}</p>
<p><a href="{GMAIL_LINK}">{GMAIL_LINK}</a></p>
<p>To cancel: <a href="{GMAIL_CANCEL}">{GMAIL_CANCEL}</a></p></body></html>
""",
)
PROTON = Question(
    sender="Proton Mail <no-reply@mail.proton.me>",
    subject="anna@proton.me would like to forward mail to you",
    kind="text/html",
    body=f"""<p>anna@proton.me would like to forward mail to you.</p>
<a title="Decline" href="{PROTON_LINK.replace("accept", "decline")}">Decline</a>
<a title="Accept" href="{PROTON_LINK}">Accept</a>""",
)
CLOUDFLARE = Question(
    sender="Cloudflare <noreply@notify.cloudflare.com>",
    subject="[Action required] Verify your Email Routing address",
    body=f"Verify email address: {CLOUDFLARE_LINK}\n\nhttps://dash.cloudflare.com/?to=/:account\n",
)
ZOHO = Question(
    sender="Zoho Mail <noreply@zoho.com>",
    subject="Email forwarding confirmation",
    body=f"{ASKING} wants to forward emails to {CAPTURE}.\n\nConfirmation code: 48291503\n",
)
QQ = Question(
    sender="=?gb18030?B?UVHTys/k?= <80012345@qq.com>",
    subject="QQ邮箱自动转发验证邮件",
    kind="text/html",
    charset="gb18030",
    body=f"""<div>80012345@qq.com 希望将邮件自动转发到 {CAPTURE}</div>
<a href="{QQ_LINK.replace("&", "&amp;")}&amp;email={CAPTURE}">接受转发</a>
<a href="{QQ_CANCEL.replace("&", "&amp;")}">取消接受转发</a>""",
)
QQ_OLD = Question(
    sender="QQMail <anna@foxmail.com>",
    subject="QQMail自动转发验证邮件",
    kind="text/html",
    charset="gb18030",
    body=f'<a class="domainButton" href="{QQ_OLD_LINK.replace("https", "http")}">接受转发</a>',
)
EXMAIL = Question(
    sender="anna <anna@firm.example>",
    subject="腾讯企业邮箱自动转发验证邮件",
    kind="text/html",
    charset="gb18030",
    body=f'<p>请确认</p><a href="{QQ_OLD_LINK.replace("mail.qq", "exmail.qq")}">接受转发</a>',
)
MOBILE = Question(
    sender="139邮箱 <admin@139.com>".encode("ascii", "ignore").decode(),
    subject="139邮箱-自动转发验证邮件",
    kind="text/html",
    body=f"""尊敬的用户：<br>139邮箱用户 13800000000@139.com 请求转发。<br>
链接：<a href="{MOBILE_LINK}" target="_blank">{MOBILE_LINK}</a><br>请在24小时内完成。""",
)
YAHOO = Question(
    sender="Yahoo <no-reply@cc.yahoo-inc.com>",
    subject="Verify your forwarding address",
    kind="text/html",
    body=f"""<p>anna@yahoo.com wants to forward to {CAPTURE}</p><a href="{YAHOO_LINK}">Verify</a>
<a href="https://help.yahoo.com/kb/mail">Help</a>""",
)
