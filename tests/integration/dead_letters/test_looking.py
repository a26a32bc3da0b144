"""What an operator sees, by the API's lists and by the command."""

import asyncio
import json
import re
from datetime import timedelta

import pytest
from msgspec.structs import replace
from pydantic import SecretStr

from bench.costs import cost_of
from services.timeline.admin.dead_letters.command import DeadLettersCommand
from services.timeline.admin.dead_letters.letter import State, stored_letter
from services.timeline.admin.dead_letters.records import Which
from services.timeline.settings import TimelineSettings
from services.timeline.write.stored import to_document
from shared.contracts.capture_address import account_tag
from tests.broker_parts import received
from tests.dead_letter_parts import ACCOUNT, KEPT, NOW, Desk, dead


class TestLooking:
    async def test_an_account_finds_its_own_alone(self, desk: Desk) -> None:
        own = await desk.keep(dead())
        await desk.keep(dead(received(account_tag=account_tag("globex"))))
        await desk.keep(dead(tag="", event=None, key="nobody"))
        page = await desk.records.page(ACCOUNT, Which(), 10, None)
        assert page.items == [own]
        assert await desk.records.one(own.id, "globex") is None
        assert len(await desk.records.every(Which(), 10)) == 3
        assert await desk.records.waiting() == {"unknown_capture_address": 3}

    async def test_pages_follow_one_another(self, desk: Desk) -> None:
        for number in range(25):
            await desk.keep(dead(reason="claim_missing" if number % 5 else "handler_error"))
        for which, expected in ((Which(), 25), (Which(reason="handler_error"), 5)):
            found: list[str] = []
            cursor = None
            while True:
                page = await desk.records.page(ACCOUNT, which, 4, cursor)
                found += [kept.id for kept in page.items]
                if (cursor := page.next_cursor) is None:
                    break
            assert len(found) == len({*found}) == expected

    @pytest.mark.parametrize(
        "which",
        [
            Which(),
            Which(reason="handler_error"),
            Which(reason="claim_missing", states=("waiting",)),
        ],
    )
    async def test_a_page_costs_what_its_size_says(self, desk: Desk, which: Which) -> None:
        reasons = "claim_missing", "handler_error"
        states: tuple[State, ...] = ("waiting", "dropped")
        many = [
            stored_letter(dead(reason=reasons[n % 2]), NOW + timedelta(seconds=n), KEPT)
            for n in range(400)
        ]
        await desk.database.dead_letters.insert_many(
            to_document(replace(one, state=states[n // 2 % 2])) for n, one in enumerate(many)
        )
        cursor = (await desk.records.page(ACCOUNT, which, 10, None)).next_cursor
        cost = await cost_of(desk.database, lambda: desk.records.page(ACCOUNT, which, 10, cursor))
        assert cost.documents <= 15, cost.plans
        assert cost.keys <= 40
        assert not cost.scans
        assert not cost.sorts


class TestCommand:
    @pytest.fixture(autouse=True)
    def asked_of(
        self,
        desk: Desk,
        amqp_url: str,
        mongodb_url: str,
        capsysbinary: pytest.CaptureFixture[bytes],
    ) -> None:
        self.capsys = capsysbinary
        self.settings = TimelineSettings(
            amqp_url=amqp_url,
            mongodb_url=mongodb_url,
            blob_url=f"file://{desk.folder}/blobs",
            timeline_database=desk.database.name,
            token_secret=SecretStr("s" * 40),
        )

    async def ask(self, *words: str, code: int = 0) -> tuple[str, str]:
        """Return what it says, and what it says beside."""
        command = DeadLettersCommand(self.settings, words)
        self.capsys.readouterr()
        await command.run(asyncio.Event())
        assert command.code == code
        out, beside = self.capsys.readouterr()
        logged = re.compile(rb"20[0-9-]+ [0-9:]+ .*\n")  # here it goes there, too
        return logged.sub(b"", out).decode(), beside.decode()

    async def test_it_lists_and_shows(self, desk: Desk) -> None:
        first = await desk.keep(dead(body=b"Subject: Hello\r\n\r\nThe text."))
        nobodys = await desk.keep(dead(tag="\x1b[2Jx", event=None, body=b"?", reason="other"))
        table, _ = await self.ask("list")
        names, *lines = table.splitlines()
        assert names.split() == ["id", "at", "state", "reason", "account", "tag", "queue", "size"]
        assert [line.split()[0] for line in lines] == [nobodys.id, first.id]
        assert "\x1b" not in table
        for words in (("--account", ACCOUNT), ("--reason", first.reason), ("--limit", "1")):
            table, _ = await self.ask("list", *words, "--json")
            assert len(table.splitlines()) == 1
        assert (await self.ask("list", "--state", "dropped"))[0].count("\n") == 1
        shown, _ = await self.ask("show", first.id)
        assert "Subject: Hello" in shown
        assert "The text." not in shown
        as_json = json.loads((await self.ask("show", first.id, "--json"))[0])
        assert (as_json["event"], as_json["account"]) == (first.event, first.account_tag)
        assert as_json.keys() == {
            *("id", "at", "state", "reason", "account", "tag", "queue", "size", "capture_id"),
            *("detail", "replays", "expires_at", "settled", "event", "headers"),
        }
        assert as_json["headers"] == [{"name": "Subject", "value": "Hello"}]
        assert "there is no" in (await self.ask("show", "a" * 32, code=1))[1]

    async def test_it_shows_the_mail(self, desk: Desk) -> None:
        kept = await desk.keep(dead(body=b"\xff\x00the mail"))
        self.capsys.readouterr()
        command = DeadLettersCommand(self.settings, ["show", kept.id, "--raw"])
        await command.run(asyncio.Event())
        assert self.capsys.readouterr().out == b"\xff\x00the mail"

    async def test_it_replays_and_drops_many(self, desk: Desk) -> None:
        for number in range(30):
            await desk.keep(dead(reason="handler_error" if number % 3 else "claim_missing"))
        nowhere = await desk.keep(dead(key="nobody", reason="unknown"))
        lines, beside = await self.ask("replay", "--reason", "handler_error", "--json")
        assert {json.loads(line)["became"] for line in lines.splitlines()} == {"replayed"}
        assert beside.endswith("20 replayed\n")
        # On a machine under load a confirm may be late, and one is sent again.
        assert len({message.headers["event"] for message in await desk.received()}) == 20
        _, beside = await self.ask("replay", "--all", code=1)
        assert f"{nowhere.id}: no queue takes it" in beside
        assert beside.endswith("1 no queue takes it, 10 replayed\n")
        _, beside = await self.ask("drop", "--all", "--why", "spam", "--by", "op")
        assert beside.endswith("1 dropped\n")
        assert (await desk.now(nowhere)).by == "op"
        [line] = (await self.ask("list", "--state", "dropped", "--json"))[0].splitlines()
        settled = json.loads(line)["settled"]
        assert settled.keys() == {"by", "at", "why"}
        assert (settled["by"], settled["why"]) == ("op", "spam")
        _, beside = await self.ask("replay", nowhere.id, "a" * 32, code=1)
        assert beside.endswith("1 dropped, 1 not there\n")
        _, beside = await self.ask("replay", "--all")
        assert beside.endswith("nothing to do\n")

    @pytest.mark.parametrize(
        "words",
        [
            [],
            ["lost"],
            ["list", "--limit", "0"],
            ["replay"],
            ["replay", "x", "--all"],
            ["drop", "x"],
        ],
    )
    async def test_what_it_does_not_understand_it_says(self, words: list[str]) -> None:
        with pytest.raises(SystemExit) as ended:
            DeadLettersCommand(self.settings, words)
        assert ended.value.code == 2
        assert b"usage" in self.capsys.readouterr().err
