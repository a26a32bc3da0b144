"""What comes late of an erased account is dropped, by when it was received."""

from datetime import UTC, datetime, timedelta

import pytest

from services.timeline.write.erased_accounts import ErasedAccount, hash_of

ERASED_AT = datetime(2026, 1, 15, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("is_running", "minutes", "is_dropped"),
    [
        (True, -1, True),
        (True, 1, True),
        (True, None, True),
        (False, -1, True),
        (False, 0, True),
        (False, 1, False),
        (False, None, True),
    ],
)
def test_what_is_dropped(is_running: bool, minutes: int | None, is_dropped: bool) -> None:
    account = ErasedAccount("x" * 8, ERASED_AT, is_running)
    moment = None if minutes is None else ERASED_AT + timedelta(minutes=minutes)
    assert account.drops(moment) is is_dropped


def test_a_hash_is_of_one_account() -> None:
    assert hash_of("acme") != hash_of("acme2")
    assert "acme" not in hash_of("acme")
