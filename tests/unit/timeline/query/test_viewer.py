"""What a caller may see: by the account's visibility and by what they ask for."""

import pytest

from services.timeline.query.viewer import viewer_of
from services.timeline.write.account_settings import AccountSettings, Visibility
from shared.auth import Caller

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
