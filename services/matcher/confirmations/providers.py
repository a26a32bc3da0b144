"""The providers that ask, as data: from whom, with which subject, and how they are answered.

Whose form is known, and from where:

* Gmail, Google Workspace: sender, hosts, `vf-` (confirms), `uf-` (cancels) and code as in mails of
  2012 to 2026 that receivers published. `isolated.` is the oldest host; the newest have no code.
* Proton: its web client has `/email-forwarding/accept#` and `/decline#` before a JWT;
  sender and host are those that receivers published. HTML only.
* Cloudflare Email Routing: sender and link as receivers published them. It names no mailbox.
* QQ Mail, Foxmail: sender, subject and both forms of link as receivers published them. The older
  one came over http too. `cancelfw_result` refuses.
* Tencent Exmail: sender and subject as a receiver published them. Of the link nothing is known
  but that the same company makes it: the forms of QQ Mail count, on its own host too.
* 139 (China Mobile): its webmail's source has the subject and one link, whose host is a setting,
  and not the sender. So: a mailbox and a link at 139, and no other link.
* Zoho: a code, from a sender that writes about logins too, says one source. So the code has to be
  the only number of its kind in a mail that is about forwarding (`codes.py`).
* Yahoo: a link, from a sender that writes about accounts too, says one source. Its form is not
  known, so it has to say itself that it confirms a forward.

Of GMX, Migadu, Yandex, Naver Works and Zimbra not enough is known; of Fastmail and Microsoft no
such mail at all.
"""

import re
from dataclasses import dataclass

from services.matcher.confirmations.links import KEY, TOKEN, Link


@dataclass(frozen=True, slots=True)
class Code:
    """A number to type in at the provider."""

    digits: tuple[int, int]
    """Fewest and most."""
    is_only_answer: bool = False
    """No link comes with it, and the sender writes of other things too."""
    hint: str = ""
    """A header field that repeats it. Forgeable: it chooses among numbers, and adds none."""


@dataclass(frozen=True, slots=True)
class Provider:
    """Who asks, and how it is answered."""

    name: str
    senders: re.Pattern[str]
    """Whole addresses, in the form in which they compare."""
    claims: tuple[str, ...]
    """A link that contains all of these, in lower case and decoded, says that it confirms: one that
    does and is not of the form is a decoy. Patterns without repetition: they are searched for."""
    links: tuple[Link, ...] = ()
    code: Code | None = None
    subject: re.Pattern[str] | None = None
    """The whole subject, in lower case and without white space, where the sender is no proof."""
    asks_from_mailbox: bool = False
    """From is the mailbox whose mail is to be forwarded."""
    sends_from_anywhere: bool = False
    """From may be anybody's domain, whose signature proves nothing of the provider."""
    has_one_link: bool = False
    """The mail has no other link."""
    says_so: bool = False
    """The form of the link is not known: it has to say that it confirms."""
    own: re.Pattern[str] = re.compile(r"(?!)")
    """Addresses of the provider, which no mailbox of a customer has."""
    own_hosts: re.Pattern[str] | None = None
    """Where all links of its mails lead."""


_FORWARD_VERIFY = "自[动動](?:转发|轉發|转寄|轉寄)[验驗][证證](?:[邮郵]件)?"
_QQ_LINKS = (
    Link(
        host=r"wx\.mail\.qq\.com",
        path="/setting/filter",
        query={"handler": "verifyfw_result", "key": KEY},
        has_others=True,
        target="email",
    ),
    Link(
        host=r"mail\.qq\.com",
        path="/cgi-bin/attrset",
        query={"t": "verify[A-Za-z0-9_]{0,40}"},
        has_others=True,
        over_http=True,
        target="email",
    ),
)
_EXMAIL = r"(?:(?!xn--)[a-z0-9-]+\.)?exmail\.qq\.com"
_EXMAIL_LINKS = (
    *_QQ_LINKS,
    Link(
        host=_EXMAIL,
        path="/setting/filter",
        query={"handler": "verifyfw_result", "key": KEY},
        has_others=True,
        target="email",
    ),
    Link(
        host=_EXMAIL,
        path="/cgi-bin/attrset",
        query={"t": "verify[A-Za-z0-9_]{0,40}"},
        has_others=True,
        over_http=True,
        target="email",
    ),
)
_QQ_CLAIMS = (r"verifyfw|[?&]t=verify",)
_NOTHING = (r"(?!)",)

PROVIDERS = (
    Provider(
        "gmail",
        senders=re.compile(r"forwarding-noreply@google\.com"),
        claims=("/vf-",),
        links=(
            Link(
                host=r"(?:mail-settings|mail|isolated\.mail)\.google\.com",
                path=rf"/mail/(?:u/[0-9]{{1,2}}/)?vf-{TOKEN}",
            ),
        ),
        code=Code((8, 10), hint="X-Google-Address-Confirmation"),
        own=re.compile(r".*[@.]google\.com"),
        own_hosts=re.compile(r"(?:[a-z0-9-]+\.)*(?:google(?:\.[a-z]{2,3}){1,2}|gmail\.com|g\.co)"),
    ),
    Provider(
        "proton",
        senders=re.compile(r"no-reply@mail\.proton\.me"),
        claims=("email-forwarding/accept",),
        links=(Link(host=r"account\.proton\.me", path="/email-forwarding/accept", fragment=TOKEN),),
        own=re.compile(r".*[@.]mail\.proton\.me"),
    ),
    Provider(
        "cloudflare",
        senders=re.compile(r"noreply@notify\.cloudflare\.com"),
        claims=("email_fwdr/verify",),
        links=(
            Link(host=r"dash\.cloudflare\.com", path="/email_fwdr/verify", query={"token": TOKEN}),
        ),
        own=re.compile(r".*[@.]cloudflare\.com"),
    ),
    Provider(
        "zoho",
        senders=re.compile(r"noreply@zoho\.(?:com|eu|in)"),
        claims=_NOTHING,
        code=Code((6, 10), is_only_answer=True),
        own=re.compile(
            r"(?:no-?reply|support|help|info|legal|privacy|sales|security)[^@]*"
            r"@(?:[^@]*\.)?zoho(?:corp|mail)?\.[a-z.]{2,7}"
        ),
    ),
    Provider(
        "yahoo",
        senders=re.compile(r"no-reply@cc\.yahoo-inc\.com"),
        claims=("forward|fwd", "verif|confirm|accept|approv"),
        links=(
            Link(
                host=r"(?:(?:[a-z0-9-]+\.)?mail|login|edit)\.yahoo\.com",
                path=r"/[A-Za-z0-9/_.-]{1,200}",
                has_others=True,
            ),
        ),
        says_so=True,
        own=re.compile(r".*[@.]yahoo-inc\.com"),
    ),
    Provider(
        "qq",
        senders=re.compile(r"[^@]+@(?:(?:vip\.)?qq|(?:vip\.)?foxmail)\.com"),
        subject=re.compile(rf"(?:qq|foxmail)(?:[邮郵]箱|mail)?[-—:：]?{_FORWARD_VERIFY}"),
        claims=_QQ_CLAIMS,
        links=_QQ_LINKS,
        asks_from_mailbox=True,
    ),
    Provider(
        "tencent-exmail",
        senders=re.compile(r"[^@]+@[^@]+"),
        sends_from_anywhere=True,
        subject=re.compile(rf"(?:腾讯|騰訊)企[业業](?:[邮郵]箱|[邮郵])[-—:：]?{_FORWARD_VERIFY}"),
        claims=_QQ_CLAIMS,
        links=_EXMAIL_LINKS,
        asks_from_mailbox=True,
    ),
    Provider(
        "china-mobile",
        senders=re.compile(r"[^@]+@(?:[a-z0-9-]+\.)*(?:139\.com|10086\.cn)"),
        subject=re.compile(rf"(?:中[国國]移[动動])?139[邮郵]箱[-—:：]?{_FORWARD_VERIFY}"),
        claims=_NOTHING,
        links=(
            Link(
                host=r"(?:(?!xn--)[a-z0-9-]+\.)*(?:139\.com|10086\.cn)",
                path=r"/[A-Za-z0-9/_.-]{0,500}",
                has_others=True,
            ),
        ),
        has_one_link=True,
        own=re.compile(r"[^@]*(?:admin|master|noreply|no-reply|service|system)[^@]*@.*"),
    ),
)


def signs_itself(name: str) -> bool:
    """Return whether a signature of From is the provider's."""
    return not any(one.name == name and one.sends_from_anywhere for one in PROVIDERS)
