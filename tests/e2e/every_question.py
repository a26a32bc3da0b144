"""Whatever can be asked of the timeline, derived from its OpenAPI document, and the answers."""

import itertools
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.e2e.answers import Answer, Known, cursor_in, opened, queries
from tests.e2e.two_users import TwoUsers

STREAMED = ("GET", "/v1/events")
AT_ONCE = 6
"""Questions: most of the time of one is spent waiting."""
OPS_ROUTES = {
    ("GET", "/v1/dead-letters"),
    ("GET", "/v1/dead-letters/{dead_letter_id}"),
    ("DELETE", "/v1/dead-letters/{dead_letter_id}"),
    ("GET", "/v1/dead-letters/{dead_letter_id}/raw"),
    ("POST", "/v1/dead-letters/{dead_letter_id}/replay"),
    ("GET", "/v1/mails"),
    ("GET", "/v1/reprocess/preview"),
    ("POST", "/v1/reprocess"),
    ("GET", "/v1/reprocess/{reprocessing_id}"),
    ("GET", "/v1/audit-log"),
    ("POST", "/v1/hand-overs"),
    ("GET", "/v1/hand-overs/{hand_over_id}"),
}
"""For operators and back-ends: the users of an account lack the scope."""
ROUTES = {
    STREAMED,
    ("GET", "/v1/conversations/{conversation_id}"),
    ("PUT", "/v1/conversations/{conversation_id}/read"),
    ("PUT", "/v1/conversations/{conversation_id}/unread"),
    *OPS_ROUTES,
    ("GET", "/v1/captures/{capture_id}"),
    ("GET", "/v1/inbox"),
    ("PUT", "/v1/inbox/read"),
    ("GET", "/v1/inbox/unread"),
    ("GET", "/v1/mails/{mail_id}"),
    ("DELETE", "/v1/mails/{mail_id}"),
    ("DELETE", "/v1/mails/{mail_id}/matches/{person_id}"),
    ("PUT", "/v1/mails/{mail_id}/matches/{person_id}"),
    ("PUT", "/v1/mails/{mail_id}/visibility"),
    ("GET", "/v1/mails/{mail_id}/attachments/{index}"),
    ("GET", "/v1/mails/{mail_id}/images"),
    ("GET", "/v1/mails/{mail_id}/raw"),
    ("GET", "/v1/mails/{mail_id}/variants/{variant}"),
    ("GET", "/v1/profiles"),
    ("GET", "/v1/profiles/{person_id}/timeline"),
    ("GET", "/v1/quarantine"),
    ("POST", "/v1/quarantine/{held_id}/release"),
    ("DELETE", "/v1/quarantine/{held_id}"),
    ("GET", "/v1/settings"),
    ("PUT", "/v1/settings"),
    ("GET", "/v1/setup"),
    ("GET", "/v1/stats"),
}
"""What is asked. A new route is added here together with what its parameters are to be."""


def requests(team: TwoUsers, known: Known) -> Iterator[tuple[tuple[str, str], str, dict[str, str]]]:
    """Yield whatever can be asked, with every sensible parameter: route, path and query."""
    for path, operations in team.document["paths"].items():
        for method, operation in operations.items():
            route = method.upper(), path
            assert route in ROUTES, f"{route} is new: who may see what it tells?"
            if route == STREAMED:
                continue
            values = _values(team, known)
            query = {
                parameter["name"]: values[parameter["name"]]
                for parameter in operation.get("parameters", ())
                if parameter["in"] == "query"
            }
            needed = {
                parameter["name"]: values[parameter["name"]][0]
                for parameter in operation.get("parameters", ())
                if parameter["in"] == "query" and parameter["required"]
            }
            names = re.findall(r"\{(\w+)\}", path)
            for chosen in itertools.product(*(values[name] for name in names)):
                given = dict(zip(names, chosen, strict=True))
                filled = path.format(**given)
                for params in queries(query):
                    variant = (given | params).get("variant")
                    if variant is None or known.is_plausible(given["mail_id"], variant):
                        yield route, filled, needed | params


def _values(team: TwoUsers, known: Known) -> dict[str, Sequence[str]]:
    words = [word for secrets_ in team.secrets.values() for word in secrets_.all[::7]]
    return {
        "mail_id": known.mails,
        "conversation_id": known.conversations,
        "variant": known.variants,
        "capture_id": team.capture_ids[:12],
        "updated_since": ["2026-01-01T00:00:00Z"],
        "direction": ["outbound"],
        "captures": ["own", "all"],
        "person_id": team.profiles,
        "limit": ["1", "200"],
        "cursor": known.cursors,
        "q": [
            *("zq*", "from:two", "has:attachment", "after:2026-01-01", "before:2027-01-01"),
            *words,
        ],
        "unread": ["true"],
        "hidden": ["true"],
        "all": ["true"],
        "dead_letter_id": ["a" * 32],
        "reason": ["claim_missing"],
        "state": ["waiting"],
        "why": ["spam"],
        "owner": ["me"],
        "images": ["remote"],
        "styles": ["inline"],
        "url": ["https://pictures.example/a.png"],
        "hand_over_id": ["a" * 32],
        "reprocessing_id": ["a" * 32],
        "held_id": ["a" * 32],  # what waits: test_quarantine.py
        "index": ["0", "1"],
        "from": ["2026-06-01"],
        "to": ["2027-01-01"],
    }


def everything(team: TwoUsers, person: str, known: Known, methods: str = "GET") -> list[Answer]:
    """Return the answers to whatever a person can ask, and to what they may do.

    In the order in which it could be asked, though some of it is asked at once.
    """
    wanted = [asked for asked in requests(team, known) if asked[0][0] in methods.split()]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        pages = pool.map(lambda asked: list(_answers(team, person, known, *asked)), wanted)
        return [answer for some in pages for answer in some]


def _answers(
    team: TwoUsers,
    person: str,
    known: Known,
    route: tuple[str, str],
    path: str,
    params: dict[str, str],
) -> Iterator[Answer]:
    """Ask for one thing, page by page."""
    takes = route[0] == "PUT" and route[1] in ("/v1/settings", "/v1/mails/{mail_id}/visibility")
    body = {"json": {"visibility": "team"}} if takes else {}
    while True:
        answer = team.users[person].request(route[0], "timeline", path, params=params, **body)
        cursor = cursor_in(answer.text)
        told = answer.text + (opened(cursor) if cursor else "")
        yield Answer(route, (path, params), answer.status_code, told)
        if cursor is None or params.get("cursor") in known.cursors:
            return
        params = {**params, "cursor": cursor}
