"""With `visibility` `owner` nothing of a colleague's mail reaches another user; Bcc never does.

Every route of the OpenAPI document is asked with every sensible parameter: a route that is not
known here fails. Each user's mail has words of its own in every place (`team.py`).
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from dev.stack import Stack
from tests.deadline import DEADLINE
from tests.e2e.account import Account
from tests.e2e.answers import Answer, Known, told_of
from tests.e2e.every_question import AT_ONCE, OPS_ROUTES, ROUTES, STREAMED, everything, requests
from tests.e2e.listening import Listening
from tests.e2e.two_users import SCOPES, TwoUsers
from tests.marks import in_full

OTHER = {"u1": "u2", "u2": "u1"}
U1, U2, U3 = in_full("u1", "u2", "u3")
"""Who is asked with `--full` alone: what holds for one user holds for the others."""
DATES = {"u1": "2026-01-", "u2": "2026-02-"}


@pytest.fixture(scope="module")
def filled(stack: Stack) -> Iterator[TwoUsers]:
    team = TwoUsers(stack)
    team.fill()
    yield team
    team.close()


@pytest.fixture(scope="module")
def anyones(filled: TwoUsers) -> Known:
    """Whatever either user can find in either visibility; no test of `filled` adds to it."""
    found = Known()
    for visibility in ("owner", "team"):
        filled.set_visibility(visibility)
        found |= filled.known_to("u1") | filled.known_to("u2")
    return found


@pytest.fixture
def team(filled: TwoUsers) -> Iterator[TwoUsers]:
    filled.set_visibility("owner")
    yield filled
    filled.set_visibility("team")


def secrets_of(team: TwoUsers, person: str) -> list[str]:
    """Return all that nobody else may read of a person's mail, when visibility is `owner`."""
    own, theirs = team.known_to(OTHER[person]), team.known_to(person)
    ids = theirs.without(own)
    assert len(ids) > 10
    return [*team.secrets[person].all, *ids, DATES[person], team.capture[person]]


ANOTHER_LIST = ("GET", "/v1/profiles")
"""Its cursors are no places of mails, so those of other lists are not its own."""


def test_every_route_is_asked(team: TwoUsers, anyones: Known) -> None:
    asked = {route for route, *_ in requests(team, anyones)}
    assert asked == ROUTES - {STREAMED}


class TestOwner:
    @pytest.mark.parametrize("person", ["u1", U2])
    def test_ones_own_mail_is_all_there(self, team: TwoUsers, person: str) -> None:
        answers = everything(team, person, team.known_to(person))
        told = "".join(answer.told for answer in answers)
        missing = [word for word in team.secrets[person].all if word not in told]
        assert [word for word in missing if word not in team.secrets[person].forgotten] == []
        assert DATES[person] in told

    @pytest.mark.parametrize("person", ["u1", U2])
    def test_nothing_of_a_colleagues_mail_is_told(
        self, team: TwoUsers, anyones: Known, person: str
    ) -> None:
        answers = everything(team, person, anyones, "GET PUT")
        assert len(answers) > 500
        assert told_of(answers, secrets_of(team, OTHER[person])) == []
        assert {answer.status for answer in answers} == {200, 204, 403, 404, 422}
        assert {answer.route for answer in answers if answer.status == 422} == {ANOTHER_LIST}
        refused = {a.route for a in answers if a.status == 403}
        assert refused - OPS_ROUTES == {("PUT", "/v1/settings")}
        assert {a.status for a in answers if a.route in OPS_ROUTES} == {403}
        self.check_not_found(team, person, answers)

    @pytest.mark.parametrize("person", ["u1", U2])
    def test_no_word_of_a_colleagues_mail_finds_anything(self, team: TwoUsers, person: str) -> None:
        def found(q: str) -> object:
            return team.users[person].json("GET", "timeline", "/v1/inbox", params={"q": q})

        words = team.secrets[OTHER[person]].all
        asked = words + [
            q for word in words[::3] for q in (word[:-1], f'"{word}"', f"from:{word}", f"to:{word}")
        ]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = zip(asked, pool.map(found, asked), strict=True)
        nothing: dict[str, object] = {"items": [], "next_cursor": None, "partial": 0}
        assert [q for q, answer in answers if answer != nothing] == []

    @pytest.mark.parametrize("person", [U3])
    def test_what_is_not_ones_own_is_not_found(
        self, team: TwoUsers, anyones: Known, person: str
    ) -> None:
        self.check_not_found(team, person, everything(team, person, anyones, "GET PUT"))

    def check_not_found(self, team: TwoUsers, person: str, answers: Sequence[Answer]) -> None:
        own = team.known_to(person)
        kinds = {"mails": own.mails, "conversations": own.conversations}
        for answer in answers:
            _, _, kind, id_, *_ = [*answer.asked[0].split("/"), ""]
            if kind in kinds and id_ and id_ not in kinds[kind]:
                assert answer.status == 404, answer
                assert id_ not in answer.told

    def test_who_captured_nothing_is_told_nothing(self, team: TwoUsers, anyones: Known) -> None:
        assert team.known_to("u3") == Known()
        empty = {
            "/v1/inbox": {"items": [], "next_cursor": None, "partial": 0},
            "/v1/inbox/unread": {"unread": 0, "more": False},
            "/v1/profiles/{person_id}/timeline": {
                "items": [],
                "next_cursor": None,
                "person": None,
                "hidden": None,
            },
            "/v1/profiles": {"items": [], "next_cursor": None},
            "/v1/stats": {"days": []},
            "/v1/quarantine": {"items": [], "next_cursor": None},
        }
        for answer in everything(team, "u3", anyones):
            path = answer.route[1]
            if answer.route == ANOTHER_LIST and "cursor" in answer.asked[1]:
                assert answer.status == 422, answer
            elif path in empty:
                assert answer.json == empty[path], answer
            elif path == "/v1/captures/{capture_id}":  # who may send is told what became of it
                assert answer.json["mail_ids"] == [], answer
            elif answer.route not in OPS_ROUTES and path not in ("/v1/settings", "/v1/setup"):
                assert answer.status == 404, answer
        nothing = {"state": "nothing_yet", "first_seen_at": None, "last_seen_at": None}
        assert team.users["u3"].json("GET", "timeline", "/v1/setup") == {
            "capture_addresses": [],
            "confirmations": [],
            "halves": {"sent": nothing, "received": nothing},
            "watched": [],
            "notices": [],
            "round_trip": None,
        }

    @pytest.mark.parametrize("person", ["u1", U2])
    def test_numbers_are_ones_own(self, team: TwoUsers, person: str) -> None:
        client, own = team.users[person], team.known_to(person)
        inbox = client.json("GET", "timeline", "/v1/inbox", params={"limit": 200})["items"]
        assert sum(conversation["mail_count"] for conversation in inbox) == len(own.mails)
        client.request("PUT", "timeline", f"/v1/conversations/{inbox[0]['id']}/read")
        unread = client.json("GET", "timeline", "/v1/inbox/unread")["unread"]
        assert unread == sum(c["unread"] for c in inbox[1:])
        [day] = client.json("GET", "timeline", "/v1/stats")["days"]
        assert day["attached"] == team.attached[person]
        assert day["dismissed"] == {}
        assert day["confirmations"] == 1

    def test_what_a_colleague_receives_changes_no_answer(self, stack: Stack) -> None:
        team = TwoUsers(stack)
        team.fill(["u1"])
        root = team.letter("u1", "cand@mail.example", message_id="root@id.example")
        team.arrives("u1", root)
        for _ in range(2):  # a larger conversation, which is to take in the other's
            team.arrives("u2", team.letter("u2", "cand@mail.example", references="<big@x>"))
        to_come = [
            team.letter("u2", "cand@mail.example", references="<big@x> <root@id.example>"),
            root,
            team.letter("u2", "nobody@x.example"),
            team.confirmation("u2"),
        ]
        team.settle()
        team.set_visibility("owner")
        own, known = team.known_to("u1"), team.known_to("u1") | team.known_to("u2")
        # The ids of conversations that were joined since lead to one's own mails in both.
        known.conversations = own.conversations
        for conversation in own.conversations:
            path = f"/v1/conversations/{conversation}/read"
            team.users["u1"].request("PUT", "timeline", path)
        before = everything(team, "u1", known)
        for raw in to_come:
            team.arrives("u2", raw)
        team.settle()
        team.set_visibility("owner")
        answers = zip(before, everything(team, "u1", known), strict=True)
        different = [
            (one, other)
            for one, other in answers
            if one.apart_from_names(known.mails) != other.apart_from_names(known.mails)
        ]
        assert different == []


class TestTeam:
    @pytest.mark.parametrize("person", ["u1", U2, U3])
    def test_bcc_reaches_its_owner_alone(self, team: TwoUsers, anyones: Known, person: str) -> None:
        team.set_visibility("team")
        others = [owner for owner in ("u1", "u2") if owner != person]
        words = [word for owner in others for word in team.secrets[owner].bcc]
        answers = everything(team, person, anyones, "GET PUT")
        assert told_of(answers, words) == []

    @pytest.mark.parametrize("person", ["u1", U2, "u3"])
    def test_who_is_known_from_bcc_alone_captured_nothing(
        self, team: TwoUsers, person: str
    ) -> None:
        team.set_visibility("team")
        for profile in team.profiles:
            for mail in team.users[person].timeline(profile):
                by = {capture["person_id"] for capture in mail["captured_by"]}
                for owner in {"u1", "u2"} - {person}:
                    if mail["message_id"] in team.by_bcc_of[owner]:
                        assert owner not in by
                if mail["message_id"] in team.by_bcc_of.get(person, ()):
                    assert person in by

    @pytest.mark.parametrize("person", [U1, U2, "u3"])
    def test_after_owner_everything_is_there_again(self, team: TwoUsers, person: str) -> None:
        team.set_visibility("team")
        answers = everything(team, person, team.known_to(person))
        told = "".join(answer.told for answer in answers)
        words = [word for owner in ("u1", "u2") for word in team.secrets[owner].open]
        assert [word for word in words if word not in told] == []


class TestEvents:
    """Each asserts by order: a hint that comes later proves that none was given before."""

    @pytest.fixture
    def team(self, stack: Stack) -> TwoUsers:
        return TwoUsers(stack)

    def arrives(self, team: TwoUsers, owner: str, *, references: str = "") -> str:
        """Return the conversation of a mail that has arrived."""
        message_id = f"{time.time_ns()}@id.example"
        letter = team.letter(
            owner, "cand@mail.example", message_id=message_id, references=references
        )
        team.arrives(owner, letter)
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            for mail in team.users[owner].timeline("c1"):
                if mail["message_id"] == message_id:
                    return str(mail["conversation_id"])
            time.sleep(0.05)
        raise TimeoutError("the mail is not there")

    @contextmanager
    def listening(
        self, team: TwoUsers, person: str, last_id: str | None = None
    ) -> Iterator[Listening]:
        headers = {"Last-Event-ID": last_id} if last_id else {}
        with team.users[person].stream("timeline", "/v1/events", headers=headers) as answer:
            listening = Listening(answer)
            assert listening.next().kind == "ready"
            yield listening

    def test_a_colleagues_mail_is_no_event(self, team: TwoUsers) -> None:
        team.set_visibility("owner")
        with self.listening(team, "u1") as mine, self.listening(team, "u3") as nobodys:
            theirs = self.arrives(team, "u2")
            own = self.arrives(team, "u1")
            assert mine.changed() == own
            team.set_visibility("team")
            last = self.arrives(team, "u2")
            assert nobodys.changed() == last
            assert mine.changed() == last
        assert theirs != own

    def test_nor_after_a_reconnect(self, team: TwoUsers) -> None:
        team.set_visibility("owner")
        with self.listening(team, "u1") as mine:
            last_id = mine.last_id
        self.arrives(team, "u2")
        own = self.arrives(team, "u1")
        with self.listening(team, "u1", last_id) as mine:
            last = self.arrives(team, "u1")
            told = [mine.changed()]
            while told[-1] != last:  # what is on its way meanwhile may be told twice
                told.append(mine.changed())
        assert {*told} == {own, last}

    def test_a_switch_takes_effect_in_open_streams(self, team: TwoUsers) -> None:
        with self.listening(team, "u1") as mine:
            seen = self.arrives(team, "u2")
            assert mine.changed() == seen
            team.set_visibility("owner")
            self.arrives(team, "u2")
            own = self.arrives(team, "u1")
            assert mine.changed() == own
            team.set_visibility("team")
            again = self.arrives(team, "u2")
            assert mine.changed() == again

    def test_bcc_alone_is_the_owners_event(self, team: TwoUsers) -> None:
        with self.listening(team, "u1") as mine, self.listening(team, "u2") as theirs:
            _, hidden = team.profile("u2", bcc=True)
            team.arrives("u2", team.letter("u2", "x@x.example", bcc=hidden, hidden=True))
            first = theirs.changed()
            last = self.arrives(team, "u1")
            assert mine.changed() == last
            assert theirs.changed() == last
        assert first != last


@pytest.mark.parametrize("visibility", ["team", *in_full("owner")])
def test_another_account_finds_nothing(
    team: TwoUsers, anyones: Known, stack: Stack, visibility: str
) -> None:
    words = [word for owner in ("u1", "u2") for word in secrets_of(team, owner)]
    team.set_visibility(visibility)
    team.users["stranger"] = Account(stack).client_for("u1", f"{SCOPES} ops account:write")
    answers = everything(team, "stranger", anyones, "GET PUT")
    assert told_of(answers, words) == []
    for answer in answers:
        if "_id}" in answer.route[1] and "profiles" not in answer.route[1]:
            assert answer.status == 404, answer
        elif "items" in answer.told:
            assert answer.json["items"] == []
