"""The page of log lines is what the code logs: every event, its level, its keys and its place."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator

from dev.generate import ROOT

LEVELS = ("debug", "info", "warning", "error", "exception")
ADDED = {"exc_info", "capture_id"}
"""What the page says of all lines, not of each."""
Found = dict[str, tuple[set[str], set[str], set[str]]]
"""By event: its levels, its keys and where it is logged."""


def calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Yield the level and the call of every line that a module logs."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in LEVELS and ast.unparse(node.func.value) in (
                "log",
                "structlog.get_logger()",
            ):
                yield node.func.attr, node
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "_log_error":
            yield "error", node


def names(argument: ast.expr) -> list[str]:
    """Return the events that a first argument can be; what is put into one is `…`."""
    if isinstance(argument, ast.IfExp):
        return [*names(argument.body), *names(argument.orelse)]
    if isinstance(argument, ast.JoinedStr):
        parts = (v.value if isinstance(v, ast.Constant) else "…" for v in argument.values)
        return ["".join(map(str, parts))]
    return [str(argument.value)] if isinstance(argument, ast.Constant) else []


def logged() -> Found:
    found: Found = defaultdict(lambda: (set(), set(), set()))
    for path in sorted([*ROOT.glob("shared/**/*.py"), *ROOT.glob("services/**/*.py")]):
        parts = path.relative_to(ROOT).parts
        for level, call in calls(ast.parse(path.read_text())):
            for name in names(call.args[0]):
                levels, keys, places = found[name]
                levels.add("error" if level == "exception" else level)
                keys |= {word.arg for word in call.keywords if word.arg} - ADDED
                places.add("all" if parts[0] == "shared" else parts[1])
    return dict(found)


def described() -> Found:
    row = re.compile(r"^\| `([^`]+)` \| (\w+) \| ([\w, ]+) \|([^|]*)\| [^|]+ \|$", re.MULTILINE)
    return {
        name: ({level}, set(re.findall(r"`(\w+)`", keys)), set(places.split(", ")))
        for name, level, places, keys in row.findall((ROOT / "docs" / "logs.md").read_text())
    }


def test_every_line_is_on_the_page_and_every_line_of_the_page_is_logged() -> None:
    assert sorted(logged()) == sorted(described())


def test_a_line_has_the_level_the_keys_and_the_places_that_the_page_says() -> None:
    assert logged() == described()


def test_each_event_is_logged_in_one_place() -> None:
    lines = [
        name
        for path in [*ROOT.glob("shared/**/*.py"), *ROOT.glob("services/**/*.py")]
        for _, call in calls(ast.parse(path.read_text()))
        for name in names(call.args[0])
    ]
    # A claim is removed by whoever needs it last.
    assert {name for name in lines if lines.count(name) > 1} <= {"claim removed"}
