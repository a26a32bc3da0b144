"""`ETag` and `If-Match` (RFC 9110 section 13): no client overwrites a change that it has not seen.

* The tag is a hash of what is shown, so the same content has the same tag in every replica.
* Without `If-Match` the last write wins. With it, 412 unless the tag is the current one. The write
  itself checks that again, so of two writers with the same tag one gets 412.
* `*` matches any content. `W/` before a tag is ignored: proxies that compress add it.
"""

import hashlib
from typing import Annotated, TypeVar

from fastapi import Header, Response
from pydantic import BaseModel

from shared.http.codes import Code
from shared.http.problems import Problem

MAX_LENGTH = 1000
_Shown = TypeVar("_Shown", bound=BaseModel)
IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=MAX_LENGTH,
        description="The `ETag` that was read. If it has changed since, the answer is 412. Without "
        "this header the last write wins",
    ),
]


def etag_of(shown: BaseModel) -> str:
    """Return the entity tag of a representation."""
    digest = hashlib.sha256(shown.model_dump_json(by_alias=True).encode()).hexdigest()
    return f'"{digest[:32]}"'


def tagged(shown: _Shown, response: Response) -> _Shown:
    """Return a representation, with its entity tag in the answer's header."""
    response.headers["ETag"] = etag_of(shown)
    return shown


def demand_match(if_match: str, current: BaseModel | None) -> None:
    """Raise the problem 412 unless `if_match` names the current version, if there is one."""
    tags = {tag.strip().removeprefix("W/") for tag in if_match.split(",")}
    if current is None or tags.isdisjoint({"*", etag_of(current)}):
        raise changed_meanwhile()


def changed_meanwhile() -> Problem:
    """Return the problem of a write that is based on an old version."""
    detail = (
        "it has changed since it was read: read it again and apply the change to the new version"
    )
    return Problem(Code.PRECONDITION_FAILED, detail)
