"""What is asked of the timeline, what it tells, and what a person can find by it."""

import base64
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dev.client import Client

_ID = re.compile(r"\b[a-z2-7]{32}\b")
_REQUEST_ID = re.compile(r'"request_id":"[^"]*"')
_CURSOR = re.compile(r'(?<="next_cursor":)"[^"]*"')
MANY = 10
"""Of so many values of a parameter each is asked for with every switch."""


@dataclass(frozen=True)
class Answer:
    """What was asked, and what was told."""

    route: tuple[str, str]
    asked: tuple[str, Mapping[str, str]]
    status: int
    told: str
    """The body, and what the cursor in it says."""

    def apart_from_names(self, mails: Collection[str]) -> tuple[object, ...]:
        """Return the answer without what a conversation is called, in it or in its cursor.

        That changes with what joins a conversation, though it may not be shown.
        """
        told = _ID.sub(lambda id_: id_[0] if id_[0] in mails else "", self.told)
        told = _REQUEST_ID.sub("", told)
        return self.route, self.asked[0], self.status, _CURSOR.sub("", told)

    @property
    def json(self) -> Any:
        """Return what the body says."""
        return json.JSONDecoder().raw_decode(self.told)[0]


@dataclass
class Known:
    """The ids that a person, or several, can find."""

    mails: list[str] = field(default_factory=list)
    conversations: list[str] = field(default_factory=list)
    variants: list[str] = field(default_factory=list)
    cursors: list[str] = field(default_factory=list)
    moments: list[str] = field(default_factory=list)
    """When their own captures arrived."""
    mails_of: dict[str, str] = field(default_factory=dict, init=False)
    """The mail of each variant."""

    @classmethod
    def of(cls, client: Client, profiles: Sequence[str]) -> "Known":
        """Return what the person of a client can find."""
        known, mails = cls(), dict[str, Any]()
        person = client.json("GET", "timeline", "/v1/inbox", params={"limit": 1})
        known.cursors += [person["next_cursor"]] if person["next_cursor"] else []
        for conversation in client.json("GET", "timeline", "/v1/inbox")["items"]:
            known.conversations.append(conversation["id"])
            path = f"/v1/conversations/{conversation['id']}"
            for mail in client.json("GET", "timeline", path)["mails"]:
                mails[mail["id"]] = mail
        for id_ in profiles:
            mails |= {mail["id"]: mail for mail in client.timeline(id_)}
        known.mails = list(mails)
        for mail in mails.values():
            known.variants += [variant["id"] for variant in mail["variants"]]
            known.mails_of |= {variant["id"]: mail["id"] for variant in mail["variants"]}
            known.moments += [capture["at"] for capture in mail["captured_by"]]
        return known

    def __or__(self, other: "Known") -> "Known":
        """Return what either knows, each id once: each is asked for."""
        names = ("mails", "conversations", "variants", "cursors", "moments")
        both = ([*getattr(self, name), *getattr(other, name)] for name in names)
        known = Known(*(list(dict.fromkeys(ids)) for ids in both))
        known.mails_of = self.mails_of | other.mails_of
        return known

    def is_plausible(self, mail: str, variant: str) -> bool:
        """Whether a variant is worth asking for: the first mail is asked for those of others."""
        return mail in (self.mails[0], self.mails_of.get(variant))

    def without(self, other: "Known") -> list[str]:
        """Return the ids and moments that the other does not know."""
        names = ("mails", "conversations", "variants", "moments")
        return [id_ for n in names for id_ in getattr(self, n) if id_ not in getattr(other, n)]


def told_of(answers: Sequence[Answer], words: Sequence[str]) -> list[tuple[object, ...]]:
    """Return the answers that have any of the words, each with the words that it has."""
    found = ((a.route, a.asked, [word for word in words if word in a.told]) for a in answers)
    return [(*asked, words) for *asked, words in found if words]


def queries(query: Mapping[str, Sequence[str]]) -> Iterator[dict[str, str]]:
    """Yield nothing, each value alone, and each with every switch."""
    switches = [{}, {"owner": "me"}, {"unread": "true"}, {"limit": "1"}]
    seen: set[tuple[tuple[str, str], ...]] = set()
    for name, values in (("", [""]), *query.items()):
        for number, value in enumerate(values):
            for switch in switches if number < MANY else switches[:1]:
                params = {**switch, name: value} if name else switch
                key = tuple(sorted(params.items()))
                if params.keys() <= query.keys() and key not in seen:
                    seen.add(key)
                    yield dict(params)


def cursor_in(text: str) -> str | None:
    """Return where the next page begins, if the body of an answer says so."""
    if not text.startswith("{"):
        return None
    cursor = json.loads(text).get("next_cursor")
    return str(cursor) if cursor else None


def opened(cursor: str) -> str:
    """Return what a cursor says."""
    return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
