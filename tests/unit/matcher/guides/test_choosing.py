"""The guide of a mailbox is that of whoever takes the mail of its domain."""

import asyncio
from collections.abc import Iterator
from typing import cast

import pytest

from dev.dns_server import DnsServer
from services.matcher.guides import Catalogue, Choosing
from services.matcher.guides import choosing as choosing_module
from services.matcher.resolver import Resolver
from tests.deadline import DEADLINE

CATALOGUE = Catalogue.load()


@pytest.fixture
def server() -> Iterator[DnsServer]:
    with DnsServer() as server:
        yield server


def choosing_by(server: DnsServer) -> Choosing:
    return Choosing(Resolver([("127.0.0.1", server.port)], 5), CATALOGUE)


async def guide_of(choosing: Choosing, address: str) -> str | None:
    guide = await choosing.guide_of(address)
    return guide.id if guide else None


async def test_the_preferred_host_that_is_known_counts(server: DnsServer) -> None:
    server.mail_hosts |= {
        "agency.test": ["10 in1-smtp.messagingengine.com."],
        "moving.test": ["20 mx.zoho.eu.", "10 aspmx.l.google.com."],
        "filtered.test": ["10 mx0a-00000000.pphosted.com.", "50 x.mail.protection.outlook.com."],
        "own.test": ["10 mail.own.test."],
        "mute.test": ["0 ."],
    }
    choosing = choosing_by(server)
    found = {d: await guide_of(choosing, f"one@{d}.test") for d in ("agency", "moving", "filtered")}
    assert found == {"agency": "fastmail", "moving": "workspace", "filtered": "microsoft365"}
    for domain in ("own.test", "mute.test", "nobody.test"):
        assert await guide_of(choosing, f"one@{domain}") is None


async def test_the_domain_alone_is_asked_for_in_ascii_and_once(server: DnsServer) -> None:
    server.mail_hosts["xn--bro-hoa.test"] = ["10 mx1.qq.com."]
    choosing = choosing_by(server)
    for address in ("One+Private@Büro.Test", "two@xn--bro-hoa.test", '"a@b"@BÜRO.test'):
        assert await guide_of(choosing, address) == "qq"
    assert server.asked == ["xn--bro-hoa.test"]


async def test_what_is_no_domain_has_no_guide_and_is_not_asked_for(server: DnsServer) -> None:
    choosing = choosing_by(server)
    for address in ("one@" + "x" * 64, "one@a..b", "one", "one@"):
        assert await guide_of(choosing, address) is None
    assert server.asked == []


async def test_without_dns_there_is_no_guide_and_no_error(
    server: DnsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing_module, "DNS_SECONDS", 0.3)
    server.silent = True
    choosing = choosing_by(server)
    assert await guide_of(choosing, "one@agency.test") is None


async def test_a_look_up_has_an_end_whatever_it_waits_for(monkeypatch: pytest.MonkeyPatch) -> None:
    class Crowded:
        async def mail_hosts(self, _domain: str, _seconds: float) -> list[str]:
            await asyncio.Event().wait()
            return []

    monkeypatch.setattr(choosing_module, "LOOKUP_SECONDS", 0.1)
    choosing = Choosing(cast(Resolver, Crowded()), CATALOGUE)
    assert await guide_of(choosing, "one@agency.test") is None


async def test_a_domain_that_is_not_answered_is_remembered(
    server: DnsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert choosing_module.DNS_SECONDS < choosing_module.LOOKUP_SECONDS
    monkeypatch.setattr(choosing_module, "LOOKUP_SECONDS", DEADLINE)
    monkeypatch.setattr(choosing_module, "DNS_SECONDS", 0.2)
    server.ignored.add("slow.test")
    choosing = choosing_by(server)
    for _ in range(3):
        assert await guide_of(choosing, "one@slow.test") is None
    assert server.asked.count("slow.test") == 1
