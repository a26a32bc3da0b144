"""Mail for postmaster@ and abuse@ of the capture domain: passed on, or refused as any other."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydantic import ValidationError

from services.ingest.postmaster import MAILS, Postmaster
from services.ingest.settings import IngestSettings
from shared.runtime.relay import RelayAway, RelayRefused
from tests.smtp_server import ADDRESS, DOMAIN, Served, serving

TO, SENDER = "ops@company.example", "satchel@in.satchel.test"
MAIL = b"From: a@x.example\r\nSubject: Your server\r\n\r\nPlease look.\r\n"


@dataclass
class FakeRelay:
    """A relay that notes what it takes, or fails."""

    fails: Exception | None = None
    slow: asyncio.Event | None = None
    sender: str = SENDER
    taken: list[tuple[str, str, bytes]] = field(default_factory=list)

    async def send(self, mail: bytes, *, envelope_sender: str, recipient: str) -> None:
        if self.slow is not None:
            await self.slow.wait()
        if self.fails is not None:
            raise self.fails
        self.taken.append((envelope_sender, recipient, mail))


def postmaster(relay: FakeRelay) -> Postmaster:
    return Postmaster(relay, TO, DOMAIN, now=lambda: "Thu, 15 Jan 2026 09:00:00 -0000")


async def deliver(
    served: Served, *to: str, raw: bytes = MAIL, sender: str = "a@x.example"
) -> list[str]:
    """Return the answers to each recipient, and to the mail when one was accepted."""
    async with served.connect() as client:
        await client.answer()
        await client.ask("EHLO x")
        await client.ask(f"MAIL FROM:<{sender}>")
        answers = [await client.ask(f"RCPT TO:<{address}>") for address in to]
        if any(answer.startswith("250") for answer in answers):
            await client.ask("DATA")
            await client.say(raw)
            answers.append(await client.ask("."))
        return answers


@pytest.mark.parametrize("to", [f"postmaster@{DOMAIN}", f"Abuse@{DOMAIN.upper()}", "Postmaster"])
async def test_it_is_passed_on_as_it_came_and_is_no_capture(to: str, tmp_path: Path) -> None:
    relay = FakeRelay()
    async with serving(tmp_path, postmaster=postmaster(relay)) as served:
        answers = await deliver(served, to)
        assert [answer[:3] for answer in answers] == ["250", "250"]
        assert served.mails == []
    [(envelope_sender, recipient, passed)] = relay.taken
    assert (envelope_sender, recipient) == (SENDER, TO)
    assert passed.endswith(MAIL)
    at = to.lower().partition("@")[0] + f"@{DOMAIN}"
    assert passed.removesuffix(MAIL).decode() == (
        f"Delivered-To: {at}\r\n"
        f"Received: by {DOMAIN} for <{at}>; Thu, 15 Jan 2026 09:00:00 -0000\r\n"
    )


@pytest.mark.parametrize("to", [f"postmaster@{DOMAIN}", f"abuse@{DOMAIN}"])
async def test_where_nobody_reads_it_it_is_refused_as_any_other(to: str, tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        assert await deliver(served, to) == ["550 5.1.1 no such capture address"]


async def test_no_other_address_is_passed_on(tmp_path: Path) -> None:
    relay = FakeRelay()
    async with serving(tmp_path, postmaster=postmaster(relay)) as served:
        for to in (
            "postmaster@x.example",
            f"root@{DOMAIN}",
            f"postmaster@sub.{DOMAIN}",
            f"postmaster+a@{DOMAIN}",
            "abuse@",
        ):
            [answer] = await deliver(served, to)
            assert answer.startswith(("550 5.1.1", "501", "553")), to
    assert relay.taken == []


@pytest.mark.parametrize("turned", [False, True])
async def test_it_goes_alone(turned: bool, tmp_path: Path) -> None:
    relay = FakeRelay()
    to = [ADDRESS, f"postmaster@{DOMAIN}"]
    async with serving(tmp_path, postmaster=postmaster(relay)) as served:
        answers = await deliver(served, *(reversed(to) if turned else to))
        assert [answer[:9] for answer in answers[:2]] == ["250 2.1.5", "452 4.5.3"]
        assert (len(served.mails), len(relay.taken)) == ((0, 1) if turned else (1, 0))


@pytest.mark.parametrize(
    ("fails", "code"), [(RelayAway("the relay answered 421"), "451"), (RelayRefused("no"), "554")]
)
async def test_what_the_relay_does_not_take_is_not_accepted(
    fails: Exception, code: str, tmp_path: Path
) -> None:
    relay = FakeRelay(fails)
    async with serving(tmp_path, postmaster=postmaster(relay)) as served:
        for _ in range(MAILS + 1):
            assert (await deliver(served, f"abuse@{DOMAIN}"))[1][:3] == code
        relay.fails = None
        answers = await deliver(served, f"abuse@{DOMAIN}")
        assert answers[1].startswith("250"), "what was not taken costs nothing"


async def test_what_was_passed_on_before_ends_its_loop(tmp_path: Path) -> None:
    relay = FakeRelay()
    async with serving(tmp_path, postmaster=postmaster(relay)) as served:
        await deliver(served, f"postmaster@{DOMAIN}")
        again = b"Received: from relay\r\n" + relay.taken[0][2]
        answers = await deliver(served, f"postmaster@{DOMAIN}", raw=again)
        assert answers[1].startswith("554 5.4.6")
        far = b"Received: from a by b\r\n" * 31 + MAIL
        assert (await deliver(served, f"abuse@{DOMAIN}", raw=far))[1].startswith("554 5.4.6")
        near = b"Received: from a by b\r\n" * 30 + MAIL + b"Received: x\r\n" * 9
        assert (await deliver(served, f"abuse@{DOMAIN}", raw=near))[1].startswith("250")


async def test_a_bounce_leaves_without_a_sender_so_that_none_is_bounced(tmp_path: Path) -> None:
    relay = FakeRelay()
    async with serving(tmp_path, postmaster=postmaster(relay)) as served:
        assert (await deliver(served, f"postmaster@{DOMAIN}", sender=""))[1].startswith("250")
    assert relay.taken[0][0] == ""


async def test_a_flood_is_told_to_come_again_and_takes_no_accounts_rate(tmp_path: Path) -> None:
    relay = FakeRelay()
    async with serving(tmp_path, postmaster=postmaster(relay)) as served:
        answers = [await deliver(served, f"postmaster@{DOMAIN}") for _ in range(MAILS)]
        assert len(relay.taken) == MAILS // 2, "one network has a half"
        assert answers[-1] == ["450 4.7.1 too many mails for this account, try again later"]
        assert (await deliver(served, ADDRESS))[1].startswith("250")


async def test_a_slow_relay_holds_few_mails_at_a_time() -> None:
    relay = FakeRelay(slow=asyncio.Event())
    passing = postmaster(relay)
    first = [
        asyncio.create_task(passing.pass_on(MAIL, f"abuse@{DOMAIN}", None, str(network)))
        for network in range(2)
    ]
    await asyncio.sleep(0)
    assert (await passing.pass_on(MAIL, f"abuse@{DOMAIN}", None, "n")).startswith("451")
    assert relay.slow is not None
    relay.slow.set()
    assert [(await one)[:3] for one in first] == ["250", "250"]
    assert (await passing.pass_on(MAIL, f"abuse@{DOMAIN}", None, "n")).startswith("250")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"postmaster_forward": TO}, "POSTMASTER_FORWARD needs RELAY_URL"),
        (
            {"postmaster_forward": f"a@{DOMAIN}", "relay_url": "smtps://relay.example"},
            "it would loop",
        ),
        ({"postmaster_forward": "nobody", "relay_url": "smtps://relay.example"}, "pattern"),
    ],
)
def test_a_forward_that_cannot_work_is_refused_at_start(
    given: dict[str, str], message: str
) -> None:
    needed = {"token_secret": "t" * 32, "capture_keys": "k1:" + "s" * 20}
    with pytest.raises(ValidationError, match=message):
        IngestSettings.model_validate({**needed, **given})
