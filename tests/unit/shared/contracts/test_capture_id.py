"""Capture ids tell when they were made, and for which account."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from shared.contracts.capture_id import capture_id, is_of, moment_of

TAGS = ["aaaaaaaa", "aaaaaaab", "qivthlmh"]


def test_an_id_is_a_uuid_of_version_7_of_this_moment() -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    made = capture_id(TAGS[0])
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    moment = moment_of(made)
    assert moment is not None
    assert before <= moment <= datetime.now(UTC)


def test_an_id_is_of_the_account_that_it_was_made_for_and_of_no_other() -> None:
    for tag in TAGS:
        made = [capture_id(tag) for _ in range(200)]
        assert len(set(made)) == 200
        for other in TAGS:
            assert all(is_of(id_, other) is (other == tag) for id_ in made)


def test_an_id_of_another_make_is_of_no_account() -> None:
    assert not any(is_of(uuid4(), tag) for tag in TAGS)
    changed = UUID(int=capture_id(TAGS[0]).int ^ 1 << 30)
    assert not is_of(changed, TAGS[0])
