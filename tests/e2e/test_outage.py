"""The outage run, for some seconds; the real one takes minutes (`make outage`)."""

from pathlib import Path

import pytest

from chaos.outage import outage, stack_and_store


@pytest.mark.full
def test_the_database_and_the_blob_store_come_back_and_all_flows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for url in ("AMQP_URL", "MONGODB_URL", "BLOB_URL"):
        monkeypatch.delenv(url, raising=False)
    with stack_and_store(tmp_path, replicas=1) as (stack, store):
        for part, way in (("mongodb", "frozen"), ("blobs", "stopped")):
            report = outage(
                stack, store, part, way, seconds=3, rate=8, before=2.5, account=f"without-{part}"
            )
            assert [p for p in report.broken if not p.startswith("answers within")] == [], report
            assert report.reckoning.found > 10
