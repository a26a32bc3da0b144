"""DNS: soon or not at all."""

import asyncio
from collections.abc import Iterator

import pytest

from dev.dns_server import DnsServer
from services.matcher.resolver import NoAnswer, Resolver, name_servers
from tests.deadline import DEADLINE


@pytest.fixture
def server() -> Iterator[DnsServer]:
    with DnsServer() as server:
        server.records["known.test"] = ["x" * 300, "second"]
        yield server


def resolver_of(server: DnsServer, seconds: float = 5) -> Resolver:
    return Resolver([("127.0.0.1", server.port)], seconds)


async def test_a_long_record_is_one_text_and_nothing_is_asked_twice(server: DnsServer) -> None:
    resolver = resolver_of(server)
    for _ in range(2):
        assert await resolver.text("known.test") == ["x" * 300, "second"]
        assert await resolver.text("nobody.test") == []
    assert server.asked == ["known.test", "nobody.test"]


async def test_the_hosts_of_a_domain_are_told_in_their_order(server: DnsServer) -> None:
    server.mail_hosts["office.test"] = ["20 B.Mail.Example.", "5 a.mail.example."]
    server.mail_hosts["mute.test"] = ["0 ."]
    resolver = resolver_of(server)
    for _ in range(2):
        assert await resolver.mail_hosts("office.test", 5) == ["a.mail.example", "b.mail.example"]
    assert await resolver.mail_hosts("mute.test", 5) == [], "it takes no mail"
    assert await resolver.mail_hosts("known.test", 5) == [], "it has other records"
    assert await resolver.mail_hosts("nobody.test", 5) == []
    assert server.asked == ["office.test", "mute.test", "known.test", "nobody.test"]


async def test_a_name_that_is_slow_for_one_question_is_asked_the_other(server: DnsServer) -> None:
    resolver = resolver_of(server, seconds=1)
    server.ignored.add("known.test")
    with pytest.raises(NoAnswer):
        await resolver.text("known.test")
    await asyncio.sleep(0.1)
    server.ignored.clear()
    assert await resolver.mail_hosts("known.test", 5) == []


async def test_hosts_are_waited_for_as_long_as_is_said(server: DnsServer) -> None:
    resolver = resolver_of(server, seconds=0)  # nobody asks for keys
    server.mail_hosts["office.test"] = ["5 a.mail.example."]
    server.ignored.add("slow.test")
    assert await resolver.mail_hosts("office.test", DEADLINE) == ["a.mail.example"]
    with pytest.raises(NoAnswer):
        await resolver.mail_hosts("slow.test", 0.2)


async def test_what_can_be_no_name_has_no_records(server: DnsServer) -> None:
    resolver = resolver_of(server)
    for name in ("x" * 64 + ".test", "a..test", ".".join(["x" * 60] * 5)):
        assert await resolver.text(name) == []
        assert await resolver.mail_hosts(name, 5) == []
    assert server.asked == []


async def test_a_slow_name_is_waited_for_once_and_others_are_answered(server: DnsServer) -> None:
    resolver = resolver_of(server, seconds=1)
    server.ignored.add("slow.test")
    for _ in range(5):
        with pytest.raises(NoAnswer):
            await resolver.text("slow.test")
    await asyncio.sleep(0.1)
    assert await resolver.text("known.test")
    assert server.asked.count("slow.test") == 1


async def test_without_dns_a_thousand_mails_do_not_wait_a_thousand_times(
    server: DnsServer,
) -> None:
    resolver = resolver_of(server, seconds=0.3)
    server.silent = True
    for number in range(1000):
        with pytest.raises(NoAnswer):
            await resolver.text(f"{number}.test")
    assert len(server.asked) < 50, "the first ones alone are asked for"


def test_servers_are_read_with_and_without_a_port() -> None:
    assert name_servers("10.0.0.1, 127.0.0.1:5353, [::1]:54 ::2") == [
        ("10.0.0.1", 53),
        ("127.0.0.1", 5353),
        ("::1", 54),
        ("::2", 53),
    ]
    for wrong in ("localhost", "10.0.0.1:x", "10.0.0.1:70000"):
        with pytest.raises(ValueError):  # noqa: PT011 - whichever part of it is wrong
            name_servers(wrong)
