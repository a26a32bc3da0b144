"""How many imports there are at a time, and which upload makes room."""

import pytest

from services.matcher.api.import_places import ImportPlace, ImportPlaces
from shared.http.web import Problem
from tests.clock import Clock

MIB = 1024 * 1024


def refused(places: ImportPlaces, account: str) -> int:
    with pytest.raises(Problem) as caught:
        places.enter(account)
    assert int(caught.value.headers["Retry-After"]) > 0
    return caught.value.status


def told(place: ImportPlace) -> list[str]:
    """Return what is said once the upload has to end."""
    said: list[str] = []
    place.end_upload = lambda: said.append("ended")
    return said


def test_an_account_has_one_and_all_have_so_many() -> None:
    places = ImportPlaces(2, 1, Clock())
    first = places.enter("a")
    assert refused(places, "a") == 429
    places.enter("b")
    assert refused(places, "c") == 503
    first.leave()
    first.leave()
    places.enter("a")
    assert len(places) == 2


def test_a_slow_upload_makes_room() -> None:
    clock = Clock()
    places = ImportPlaces(2, 1, clock)
    slow, steady = places.enter("a"), places.enter("b")
    ended, went_on = told(slow), told(steady)
    for _ in range(4):
        clock.now += 15
        slow.grow(slow._size + 100)
        steady.grow(steady._size + MIB)
    places.enter("c")
    assert (ended, went_on) == (["ended"], [])
    assert refused(places, "d") == 503, "a MiB in 15 seconds is no slow one"


def test_an_account_starts_anew_while_its_broken_upload_hangs() -> None:
    clock = Clock()
    places = ImportPlaces(2, 1, clock)
    ended = told(places.enter("a"))
    assert refused(places, "a") == 429
    clock.now += 17
    places.enter("a")
    assert ended == ["ended"]
    assert len(places) == 1


def test_what_has_arrived_is_stored_however_long_that_takes() -> None:
    clock = Clock()
    places = ImportPlaces(1, 1, clock)
    place = places.enter("a")
    ended = told(place)
    place.complete()
    clock.now += 1000
    assert refused(places, "a") == 429
    assert refused(places, "b") == 503
    assert ended == []
