"""The order of the tests, and what runs in one worker."""

from dev.generate import ROOT
from tests.scheduling import OWN_SERVERS, group, rank


def test_tests_of_one_running_stack_are_one_group() -> None:
    assert group("tests/e2e/test_api.py") == group("tests/e2e/test_visibility.py")
    assert group("tests/e2e/pages/test_inbox.py") == group("tests/e2e/pages/test_states.py")
    assert group("tests/e2e/test_api.py") != group("tests/e2e/pages/test_inbox.py")


def test_every_other_file_is_a_group_of_its_own() -> None:
    for file in ("tests/e2e/test_stop.py", "tests/integration/test_inbox.py"):
        assert group(file) == file


def test_no_stack_idles_beside_tests_with_servers_of_their_own() -> None:
    in_order = [
        "tests/e2e/test_fault_run.py",
        "tests/e2e/test_stop.py",
        "tests/e2e/test_api.py",
        "tests/e2e/pages/test_inbox.py",
        "tests/integration/dead_letters/test_keeping.py",
        "tests/contract/test_events.py",
        "tests/unit/test_cost.py",
    ]
    ranks = [rank(file) for file in in_order]
    assert ranks == sorted({*ranks})


def test_what_has_servers_of_its_own_is_there() -> None:
    there = {path.name for path in (ROOT / "tests" / "e2e").glob("test_*.py")}
    assert there >= OWN_SERVERS
