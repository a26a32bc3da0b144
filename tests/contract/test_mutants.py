"""The list of mutants that no test notices names mutants that there are."""

from dev.mutation.__main__ import LIST, ROOT
from dev.mutation.faults import mutants
from dev.mutation.listed import read, stale
from dev.mutation.targets import TARGETS


def test_the_list_is_of_the_code_as_it_is() -> None:
    known = {target.path: mutants((ROOT / target.path).read_text()) for target in TARGETS}
    gone = stale(read(LIST), known)
    assert [f"{one.module}: {one.line}: {one.change}" for one in gone] == []


def test_each_module_and_each_test_file_exists_once() -> None:
    """A test that moves to another file leaves what it checked without a test, unnoticed."""
    missing = [
        name
        for target in TARGETS
        for name in (target.path, *target.tests)
        if not (ROOT / name).is_file()
    ]
    assert missing == []
    paths = [target.path for target in TARGETS]
    assert len(paths) == len(set(paths))
    for target in TARGETS:
        assert len(target.tests) == len(set(target.tests)), target.path
