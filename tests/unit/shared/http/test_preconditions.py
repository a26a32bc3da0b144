"""What `If-Match` lets through."""

import pytest
from pydantic import BaseModel

from shared.http.codes import Code
from shared.http.preconditions import demand_match, etag_of
from shared.http.problems import Problem


class Shown(BaseModel):
    name: str


NOW = Shown(name="now")
TAG, OLD = etag_of(NOW), etag_of(Shown(name="before"))


@pytest.mark.parametrize("given", [TAG, "*", f"W/{TAG}", f"{OLD}, {TAG}", f"  {TAG}  "])
def test_the_tag_of_what_there_is_passes(given: str) -> None:
    demand_match(given, NOW)


@pytest.mark.parametrize("given", [OLD, "", TAG.strip('"'), f'"{TAG}"', f"{OLD},", "**"])
def test_any_other_is_412(given: str) -> None:
    with pytest.raises(Problem) as problem:
        demand_match(given, NOW)
    assert problem.value.code is Code.PRECONDITION_FAILED


@pytest.mark.parametrize("given", ["*", TAG])
def test_nothing_matches_what_is_not_there(given: str) -> None:
    with pytest.raises(Problem):
        demand_match(given, None)
