"""What several captures know of one profile and address."""

import itertools
from typing import Any

import pytest

from services.timeline.write.matches import merge_matches, visible_matches
from services.timeline.write.records import MatchRecord
from tests.record_parts import match_record


def merged(*matches: MatchRecord) -> MatchRecord:
    """Return what matches are together: the same, whichever comes first."""
    [found] = {found for order in itertools.permutations(matches) for found in merge_matches(order)}
    return found


def test_another_profile_or_address_is_another_match() -> None:
    matches = [match_record(0), match_record(1), match_record(0, person_id="c7")]
    assert merge_matches(matches) == matches


def test_what_is_known_from_an_open_header_tells_nothing_of_the_bcc() -> None:
    open_ = match_record(0, role="cc")
    assert merged(open_, match_record(0, "u1", shared_address=True)) == open_


def test_of_several_bcc_all_owners_may_see_it_and_stand_in_order() -> None:
    owners = [f"u{number}" for number in range(5)]
    found = merged(*(match_record(0, owner) for owner in (*owners[::-1], "u3")))
    assert found.bcc_owners == tuple(owners)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"role": "to"}, {"role": "cc"}),
        ({"role": "from"}, {"role": "to"}),
        ({"role": "cc"}, {"role": "to", "source": "forwarded_body"}),
        ({"source": "forwarded_body"}, {"source": "delivery_report"}),
        ({"kind": "candidate"}, {"kind": "contact"}),
    ],
)
def test_the_plainest_place_is_kept(better: dict[str, Any], worse: dict[str, Any]) -> None:
    kept = match_record(0, **better)
    assert merged(kept, match_record(0, **worse)) == kept


def test_an_address_is_shared_once_it_was() -> None:
    assert merged(match_record(0), match_record(0, shared_address=True)).shared_address
    assert not merged(match_record(0), match_record(0)).shared_address


def test_a_bcc_is_visible_to_its_owners_alone() -> None:
    matches = [match_record(0), match_record(2, "u1"), match_record(4, "u2")]
    assert visible_matches(matches, "u1") == matches[:2]
    assert visible_matches(matches, "u3") == matches[:1]
