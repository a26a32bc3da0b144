"""The arithmetic of the plans, and that the page has what it gives."""

import pytest

from bench.counting_proxy import ASKING, Requests
from bench.mail_costs import Capacity, Cost
from bench.mail_kinds import KINDS, mail
from bench.plan import PAGE, Assumptions, average, load, page, plan, tables
from bench.processes import PROCESSES
from shared.runtime.mistake import Mistake
from shared.storage.blob_keys import CLAIM_CHECK_BYTES


def _cost(kind: str, size: int, ms: float, kept: float) -> Cost:
    cpu = dict.fromkeys(PROCESSES, ms)
    requests = {service: Requests(ms, 0.0, kept, {}) for service in ASKING}
    return Cost(kind, 100, size, cpu, kept, kept, 2 * kept, requests, {})


_MEASURED = Capacity(
    reference=20.0,
    idle=dict.fromkeys(PROCESSES, 1.0),
    resting=dict.fromkeys(PROCESSES, 50.0),
    memory=dict.fromkeys(PROCESSES, 100.0),
    queued=80_000.0,
    costs=[
        _cost("short", 1000, 6.0, 100.0),
        _cost("typical", 10_000, 12.0, 200.0),
        _cost("large", 1_000_000, 60.0, 1000.0),
        _cost("short, dismissed", 1000, 2.0, 0.0),
    ],
)
_HALF = Assumptions(mix={"short": 0.5, "typical": 0.25, "large": 0.25}, attached=0.5, busy=0.5)


def test_an_average_capture_is_weighed_by_kind_and_by_what_becomes_of_it() -> None:
    found = average(_MEASURED, _HALF)
    assert found.cpu["timeline"] == pytest.approx(0.5 * (3 + 3 + 15) + 0.5 * 2)
    assert found.bytes == pytest.approx(500 + 2500 + 250_000)
    assert found.queue_bytes == pytest.approx(3000 * 1.5)  # large ones travel by claim check
    assert found.database_bytes == pytest.approx(0.5 * 2 * (50 + 50 + 250))
    assert found.blob_bytes == pytest.approx(0.5 * 2 * (50 + 50 + 250))
    assert found.requests == pytest.approx(0.5 * 2 * (3 + 3 + 15) + 0.5 * 2 * 2)
    assert found.written == pytest.approx(0.5 * 2 * (50 + 50 + 250))
    assert found.puts == pytest.approx(0.75)
    assert found.gets == pytest.approx(0.5)


def test_a_plan_is_proportional_above_the_least() -> None:
    # 11.5 ms each, half of a core used: 23 cores for a thousand a second.
    big = plan(1000, _MEASURED, _HALF)
    assert big["timeline"] == "23 replicas, 23.0 cores, 14.4 GiB"
    assert big["queues"].startswith("2,000 messages, 4.5 MB a second; 1 partitions")
    assert big["MongoDB"].startswith("23,000 requests, 350,000 documents written a second, ")
    assert big["MongoDB"].endswith("23.0 cores, 2 shards of 3")
    small = plan(1, _MEASURED, _HALF)
    assert small["ingest"].startswith("3 replicas")
    assert small["timeline"].startswith("2 replicas")
    assert plan(10_000, _MEASURED, _HALF)["queues"].endswith("4 partitions of each")


def test_tables_go_between_their_marks() -> None:
    text = "a\n<!-- plans -->\nold\n<!-- end of plans -->\nb\n"
    assert page(text, "new") == "a\n<!-- plans -->\nnew\n<!-- end of plans -->\nb\n"
    with pytest.raises(Mistake):
        page("nothing", "new")


def test_the_page_has_the_plans_of_what_was_measured() -> None:
    text = PAGE.read_text()
    assert page(text, tables(load(), Assumptions())) == text


def test_kinds_are_of_the_sizes_that_matter() -> None:
    sizes = {kind.name: len(mail(kind, 1)) for kind in KINDS}
    assert sizes["short"] < 2000
    assert 70_000 < sizes["typical"] < CLAIM_CHECK_BYTES < sizes["large"]
    assert b"References: <short.0@" in mail(KINDS[0], 1)
