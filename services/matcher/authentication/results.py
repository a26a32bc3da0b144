"""Authentication-Results: what another server found out about a mail. RFC 8601.

Authentication-Results: mx.team.example; dkim=pass header.d=mail.example; dmarc=fail (p=reject)
"""

import re
from dataclasses import dataclass

from services.matcher.authentication.signature import domain_name
from shared.mail.headers import HeaderBlock

_TOKEN = re.compile(r'"(?>(?:[^"\\]|\\.)*)"|\\.|[();]|[^"\\();]++|["\\]', re.DOTALL)
_METHOD = re.compile(r"([a-z0-9-]{1,40}+)(?:\s*+/\s*+\d++)?\s*+=\s*+([a-z0-9-]{1,40}+)")
_PROPERTY = re.compile(r"\b(header|smtp|policy|body)\.([a-z0-9_-]{1,40}+)\s*+=\s*+(\S++)")
_POLICY = re.compile(r"\b(?:p|policy|policy\.dmarc)\s*+=\s*+\"?(none|quarantine|reject)\b")


@dataclass(frozen=True, slots=True)
class Result:
    """What was found by one method."""

    method: str
    result: str
    domain: str | None
    """Whom it is about: the domain that signed (`dkim`), or that of From (`dmarc`)."""
    policy: str | None = None
    """What the domain of From asks for, where that is told."""


def read_results(value: str) -> tuple[str, list[Result]]:
    """Return who found it, and what; in lower case."""
    plain, comments = _pieces(value.lower())
    name, *found = plain
    authserv_id = next(iter(name.replace('"', "").split()), "")
    results = []
    for text, comment in zip(found, comments[1:], strict=True):
        method = _METHOD.match(text.strip())
        if not method:
            continue
        properties = {f"{p}.{n}": value.strip('"') for p, n, value in _PROPERTY.findall(text)}
        policy = _POLICY.search(f"{text} {comment}")
        results.append(
            Result(method[1], method[2], _domain(method[1], properties), policy and policy[1])
        )
    return authserv_id, results


def believed_results(header: HeaderBlock, authserv_id: str) -> list[Result]:
    """Return the results of this deployment's mail server in front, and of no other server.

    These fields stand above the second Received (the first is that server's own) and begin with its
    id. Of each method only the topmost field counts. That server must remove fields with its own id
    from incoming mail (section 5).
    """
    believed: list[Result] = []
    received = 0
    for name, value in header.fields:
        received += name.lower() == "received"
        if received > 1:
            break
        if name.lower() == "authentication-results":
            found_by, results = read_results(value.encode("ascii", "replace").decode())
            if found_by == authserv_id.lower():
                known = {result.method for result in believed}
                believed += [result for result in results if result.method not in known]
    return believed


def _domain(method: str, properties: dict[str, str]) -> str | None:
    if method == "dmarc":
        named = properties.get("header.from", "")
    else:
        named = properties.get("header.d") or properties.get("header.i", "")
    return domain_name(named.rpartition("@")[2])


def _pieces(text: str) -> tuple[list[str], list[str]]:
    """Return what stands between semicolons: outside of comments, and inside of them."""
    plain, comments, depth = [[""]], [[""]], 0
    for token in _TOKEN.finditer(text):
        if token[0] == "(":
            depth += 1
        elif token[0] == ")":
            depth = max(0, depth - 1)
        elif depth:
            comments[-1].append(token[0])
        elif token[0] == ";":
            plain.append([])
            comments.append([])
        else:
            plain[-1].append(token[0])
    return ["".join(piece) for piece in plain], ["".join(piece) for piece in comments]
