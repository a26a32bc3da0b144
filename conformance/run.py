"""Runs a case against an installation."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

from conformance.case import OWNER, Case, differences
from conformance.installation import Installation, User, await_captures


def run(case: Case, installation: Installation, account: str) -> list[str]:
    """Return where the installation is not right about a case, in an account that is new to it.

    The people are deleted afterwards; the mail stays, in an account of its own. Raises
    Mistake when the installation refuses something.
    """
    with ExitStack() as opened:
        users = {
            person_id: opened.enter_context(User(installation, account, person_id))
            for person_id in case.users
        }
        for person_id, (kind, *addresses) in case.people.items():
            body = {"kind": kind, "name": person_id, "addresses": addresses}
            users[OWNER].put(f"/v1/people/{person_id}", body)
        try:
            return list(_run(case, users))
        finally:
            for person_id in case.people:
                users[OWNER].delete(f"/v1/people/{person_id}")


def _run(case: Case, users: Mapping[str, User]) -> Iterator[str]:
    owner = users[OWNER]
    if case.visibility is not None:
        owner.put("/v1/settings", {"visibility": case.visibility}, at_timeline=True)
    if case.never_capture is not None:
        owner.put("/v1/never-capture", {"account": case.never_capture})
    captures = {user: owner.mint(user) for user in users}
    for mail in case.mails:
        raw = mail.read_bytes()
        for user, address in captures.items():
            raw = raw.replace(f"{{CAPTURE_{user.upper()}}}".encode(), address.encode())
        owner.deliver(captures[case.owner_of(mail)], raw)
    asked = [*users.values()] if case.visibility == "owner" else [owner]
    try:
        tally = await_captures(asked, len(case.mails))
    except TimeoutError as error:
        yield str(error)
        return
    expected = case.tally if case.tally is not None else {"attached": len(case.mails)}
    if tally != expected:
        yield f"tally: expected {dict(expected)}, got {tally}"
    for user, view in case.views.items():
        yield from _wrong_in(view, users[user], user)


def _wrong_in(view: Mapping[str, Any], reader: User, name: str) -> Iterator[str]:
    for person_id, mails in view.get("timeline", {}).items():
        where = f"{name} sees timeline of {person_id}"
        yield from differences(reader.timeline(person_id), mails, where)
    if "inbox" in view:
        yield from differences(reader.inbox(), view["inbox"], f"{name} sees inbox")
    for query, count in view.get("search", {}).items():
        found = len(reader.inbox(q=query))
        yield from differences(found, count, f"{name} searches {query!r}: conversations")
