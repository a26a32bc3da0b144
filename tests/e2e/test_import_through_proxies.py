"""An import gets through the proxies that people put in front of it, in one piece or in many."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from dev.client import PATIENCE
from dev.install import Unavailable
from tests.e2e.account import Account
from tests.marks import in_full
from tests.proxies import Kind, Proxy
from tests.signed_in import bearer


def person(number: int) -> bytes:
    address = f"i{number}@mail.example"
    fields = {"person_id": f"i{number}", "kind": "candidate", "name": f"Candidate {number}"}
    return json.dumps({**fields, "addresses": [address]}).encode() + b"\n"


@pytest.mark.parametrize("kind", ["nginx unbuffered", *in_full("nginx", "haproxy")])
@pytest.mark.parametrize(
    "is_chunked",
    [
        pytest.param(False, marks=pytest.mark.full, id="in one piece"),
        pytest.param(True, id="chunked"),
    ],
)
def test_an_import_passes_a_proxy(
    account: Account, tmp_path: Path, share: float, kind: Kind, *, is_chunked: bool
) -> None:
    people = 100_000 if share == 1 else 6_000
    bad = (1, people // 2, people)

    def lines() -> Iterator[bytes]:
        for number in range(1, people + 1):
            yield b"no person\n" if number in bad else person(number)

    headers = bearer(
        scope="directory:write", account=account.name, secret=account.stack.token_secret
    )
    try:
        proxy = Proxy(kind, tmp_path, account.stack.endpoints.matcher_port)
    except Unavailable as why:
        pytest.skip(str(why))
    with proxy, httpx.Client(trust_env=False, timeout=PATIENCE, headers=headers) as client:
        content = lines() if is_chunked else b"".join(lines())
        url = f"http://127.0.0.1:{proxy.port}/v1/people:import"
        answer = client.post(url, content=content)
    assert answer.status_code == 200
    told = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["line"] for line in told if "line" in line] == list(bad)
    progress = [line["lines"] for line in told if line.keys() == {"lines", "stored", "failed"}]
    assert progress == list(range(5000, people + 1, 5000))
    assert told[-1] == {
        "lines": people,
        "stored": people - len(bad),
        "failed": len(bad),
        "done": True,
    }
    found = account.client.json("GET", "matcher", f"/v1/people/i{people - 1}")
    assert found["name"] == f"Candidate {people - 1}"
