"""What a caller may see: by the account's visibility and by what they ask for."""

import pytest
from msgspec.structs import replace

from services.timeline.query.viewer import Viewer, viewer_of
from services.timeline.write.account_settings import AccountSettings, Visibility
from services.timeline.write.records import Capture, Mail, Verdict
from shared.http.auth import Caller
from tests.record_parts import capture_record, match_record

VERIFIED = Verdict(verdict="verified", method="dkim", domain="x.example", reason=None)
U1, U2 = Viewer("acme", "u1"), Viewer("acme", "u2")
CALLER = Caller("acme", "u1", frozenset({"timeline:read"}))


class Settings(AccountSettings):
    """One account's visibility, without a database."""

    def __init__(self, visibility: Visibility) -> None:
        self._visibility = visibility

    async def visibility(self, account: str) -> Visibility:
        assert account == "acme"
        return self._visibility


@pytest.mark.parametrize(
    ("visibility", "own_only", "audiences"),
    [
        ("team", False, ["*", "!u1"]),
        ("team", True, ["u1"]),
        ("owner", False, ["u1"]),
        ("owner", True, ["u1"]),
    ],
)
async def test_only_the_team_visibility_shows_what_others_captured(
    visibility: Visibility, own_only: bool, audiences: list[str]
) -> None:
    viewer = await viewer_of(Settings(visibility), CALLER, own_only=own_only)
    assert (viewer.account, viewer.person_id, viewer.audiences) == ("acme", "u1", audiences)


async def test_by_default_a_caller_sees_what_the_team_and_the_user_in_private_see() -> None:
    viewer = await viewer_of(Settings("team"), CALLER)
    assert viewer.audiences == ["*", "!u1"]


def mail_of(*captures: Capture) -> Mail:
    return Mail(id="m", account="acme", message_id="1@x", token="t", captures=captures)


def shown(viewer: Viewer, mail: Mail, person_id: str | None = None) -> list[str]:
    return [capture.content for capture in viewer.contents(mail, person_id)]


GENUINE = capture_record(1, "u1", "genuine", 1, [match_record(0)], authentication=VERIFIED)
FORGED = capture_record(0, "u2", "forged", 0, [match_record(2)])


def test_on_a_profile_only_contents_are_shown_that_name_it() -> None:
    mail = mail_of(GENUINE, FORGED)
    assert shown(U1, mail) == ["genuine", "forged"]
    assert shown(U1, mail, "c0") == ["genuine"]
    assert shown(U1, mail, "c1") == ["forged"]
    assert shown(U1, mail, "c9") == []
    alone = Viewer("acme", "u1", own_only=True)
    assert shown(alone, mail) == ["genuine"]
    assert shown(alone, mail, "c1") == []


def test_matches_are_those_of_the_captures_of_what_is_shown() -> None:
    again = capture_record(2, "u2", "genuine", 2, [match_record(4)])
    for mail in (mail_of(GENUINE, FORGED, again), mail_of(again, FORGED, GENUINE)):
        own = [c for c in U1.contents(mail) if c.content == "genuine"]
        assert {match.person_id for match in U1.matches(own)} == {"c0", "c2"}


def test_what_is_known_from_a_bcc_alone_is_shown_first_to_its_owner_alone() -> None:
    hidden = capture_record(3, "u1", "hidden", 3, [match_record(6, "u1")], authentication=VERIFIED)
    mail = mail_of(FORGED, hidden)
    assert shown(U1, mail) == ["hidden", "forged"]
    assert shown(U1, mail, "c3") == ["hidden"]
    assert shown(U2, mail) == ["forged"]
    assert shown(U2, mail, "c3") == []


# What users have ruled -----------------------------------------------------------------------

BACK_END = Viewer("acme", "", sees_all=True)
OWNS = capture_record(1, "u1", "own", 1, [match_record(0), match_record(2, "u1")])
OURS = capture_record(2, "u2", "ours", 2, [match_record(0)])


def ruled(
    *captures: Capture, detached: tuple[str, ...] = (), private: tuple[str, ...] = ()
) -> Mail:
    return replace(mail_of(*captures), detached=detached, private=private)


def people(viewer: Viewer, mail: Mail) -> list[str]:
    return sorted(match.person_id for match in viewer.matches(viewer.captures(mail)))


def test_a_detached_profile_has_no_match_and_no_content() -> None:
    mail = ruled(OWNS, OURS, detached=("c0",))
    for viewer in (U1, U2, BACK_END):
        assert "c0" not in people(viewer, mail)
        assert shown(viewer, mail, "c0") == []
        assert viewer.detached(viewer.captures(mail)) == ["c0"]
        assert shown(viewer, mail) != []


def test_who_may_not_see_a_match_is_not_told_that_it_was_detached() -> None:
    mail = ruled(OWNS, OURS, detached=("c1",))
    assert U1.detached(U1.captures(mail)) == ["c1"]
    assert U2.detached(U2.captures(mail)) == []


def test_a_private_capture_is_its_owners_and_the_back_ends() -> None:
    mail = ruled(OWNS, private=("u1",))
    assert shown(U1, mail) == shown(BACK_END, mail) == ["own"]
    assert people(U1, mail) == ["c0", "c1"]
    assert shown(U2, mail) == people(U2, mail) == []
    both = ruled(OWNS, OURS, private=("u1",))
    assert shown(U2, both) == ["ours"]
    assert people(U2, both) == ["c0"]


def test_a_back_end_is_told_private_where_nobody_else_is_to_see_it() -> None:
    assert BACK_END.has_made_private(ruled(OWNS, private=("u1",)))
    both = ruled(OWNS, OURS, private=("u1",))
    assert not BACK_END.has_made_private(both)
    assert (U1.has_made_private(both), U2.has_made_private(both)) == (True, False)
