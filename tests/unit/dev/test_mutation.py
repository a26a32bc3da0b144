"""The mutation tester: which faults it makes, and that they act in memory alone."""

import ast
import gc
from pathlib import Path
from types import ModuleType

import pytest

from dev.mutation.__main__ import LIST, ROOT, choose
from dev.mutation.faults import mutants, mutated
from dev.mutation.install import functions_of, install
from dev.mutation.listed import Entry, read, stale
from dev.mutation.targets import TARGETS
from services.matcher import decide

SOURCE = '''\
"""Not this."""
NAMES = ("a", "b")
LIMIT = 5


class Sum:
    @property
    def value(self) -> int:
        return 1 + 2


def allows(size: int, most: int = 3) -> bool:
    """Nor this."""
    log.info("nor this", size=1)
    size = cast("nor this", size)
    if size < most and not size == 7:
        return True
    raise ValueError("nor this: 1 < 2")


def names() -> list[str]:
    return sorted(NAMES, reverse=True)
'''


def changes(source: str) -> list[str]:
    return [mutant.change for mutant in mutants(source)]


@pytest.mark.parametrize(
    "change",
    [
        "size < most and (not size == 7) -> True",
        "size < most and (not size == 7) -> False",
        "size < most and (not size == 7) -> size < most or not size == 7",
        "size < most and (not size == 7) -> size < most",
        "size < most -> size >= most",
        "size < most -> size <= most",
        "not size == 7 -> size == 7",
        "7 -> 8",
        "1 + 2 -> 1 - 2",
        "return 1 + 2 -> return None",
        "True -> False",
        "3 -> 2",
        "raise ValueError('nor this: 1 < 2') -> (nothing)",
        "sorted(NAMES, reverse=True) -> list(NAMES)",
        "('a', 'b') -> ('b',)",
        "('a', 'b') -> ('b', 'a')",
    ],
)
def test_a_fault_is_made_wherever_something_is_decided(change: str) -> None:
    assert change in changes(SOURCE)


def test_what_decides_nothing_is_left_alone() -> None:
    told = "\n".join(changes(SOURCE))
    assert "nor this'" not in told
    assert "Nor this" not in told
    assert "5 ->" not in told


def test_every_fault_of_every_module_compiles() -> None:
    for target in TARGETS:
        source = (ROOT / target.path).read_text()
        for mutant in mutants(source)[::25]:
            compile(mutated(source, mutant.number), target.path, "exec")


def module_of(source: str, tmp_path: Path) -> ModuleType:
    module = ModuleType("module_of_the_test")
    module.__file__ = str(tmp_path / "module.py")
    exec(compile(source, module.__file__, "exec"), vars(module))
    return module


@pytest.mark.parametrize(
    ("change", "value", "names"),
    [
        ("1 + 2 -> 1 - 2", -1, ["b", "a"]),
        ("('a', 'b') -> ('b',)", 3, ["b"]),
        ("sorted(NAMES, reverse=True) -> list(NAMES)", 3, ["a", "b"]),
    ],
)
def test_a_mutant_acts_through_every_reference(
    tmp_path: Path, change: str, value: int, names: list[str]
) -> None:
    module = module_of(SOURCE, tmp_path)
    one, names_of_it = module.Sum(), module.names  # from before
    [mutant] = [mutant for mutant in mutants(SOURCE) if mutant.change == change]
    install(module, functions_of(module), mutated(SOURCE, mutant.number), mutant)
    assert one.value == value
    assert names_of_it() == names


def test_a_default_is_renewed(tmp_path: Path) -> None:
    calls = '    log.info("nor this", size=1)\n    size = cast("nor this", size)\n'
    source = SOURCE.replace(calls, "")
    module = module_of(source, tmp_path)
    [mutant] = [mutant for mutant in mutants(source) if mutant.change == "3 -> 2"]
    allows = module.allows
    assert allows(2)
    install(module, functions_of(module), mutated(source, mutant.number), mutant)
    with pytest.raises(ValueError, match="nor this"):
        allows(2)


def test_a_sample_is_the_same_for_the_same_seed() -> None:
    known = {"a.py": mutants(SOURCE), "b.py": mutants(SOURCE)}
    assert choose(known, 9, 1) == choose(known, 9, 1) != choose(known, 9, 2)
    assert sum(map(len, choose(known, 9, 1).values())) == 9
    assert choose(known, None, 1) == known


def test_an_entry_names_its_mutant_wherever_the_line_stands() -> None:
    known = {"a.py": mutants("\n\n" + SOURCE)}
    line = "return 1 + 2"
    good = Entry("a.py", line, "1 + 2 -> 1 - 2", "a reason")
    gone = Entry("a.py", line, "1 + 2 -> 1 * 2", "a reason")
    assert stale([good, Entry("a.py", line, "", "all of it")], known) == []
    assert stale([good, gone, Entry("untried.py", line, "", "")], known) == [gone]


def test_every_listed_mutant_is_there_and_has_a_reason() -> None:
    entries = read(LIST)
    known = {target.path: mutants((ROOT / target.path).read_text()) for target in TARGETS}
    assert stale(entries, known) == []
    assert {entry.module for entry in entries} <= known.keys()
    assert all(len(entry.reason) > 20 for entry in entries)


def test_every_target_and_its_tests_are_there() -> None:
    for target in TARGETS:
        ast.parse((ROOT / target.path).read_text())
        for tests in target.tests:
            assert (ROOT / tests).is_file()


def test_functions_are_found_although_the_collector_was_told_to_pass_over_them() -> None:
    gc.freeze()
    try:
        found = {function.__name__ for function in functions_of(decide)}
    finally:
        gc.unfreeze()
    assert {"decide", "verdicts"} <= found
