"""Cases are whole, and a mistake in writing or running one is told in a line."""

import json
from pathlib import Path

import pytest

from conformance.__main__ import main
from conformance.case import CASES, all_cases, differences, load
from shared.runtime.mistake import Mistake


def test_every_folder_is_a_case_of_which_something_is_expected() -> None:
    assert {case.name for case in all_cases()} == {one.name for one in CASES.iterdir()}
    for case in all_cases():
        assert case.tally or any(case.views.values()), case.name


def write(folder: Path, told: object, *mails: str) -> Path:
    (folder / "case.json").write_text(told if isinstance(told, str) else json.dumps(told))
    for mail in mails:
        (folder / mail).write_bytes(b"Subject: x\r\n\r\n")
    return folder


@pytest.mark.parametrize(
    ("told", "mails", "complaint"),
    [
        ("{", ["1.eml"], "cannot be read"),
        ({"inbox": []}, [], "there is no mail"),
        ({"inbox": [], "talley": {}}, ["1.eml"], "unknown keys: talley"),
        ({"people": {}}, ["1.eml"], "says nothing about what is right"),
        ({"inbox": [], "owners": {"2.eml": "u2"}}, ["1.eml"], "names no mail: 2.eml"),
    ],
)
def test_a_case_that_cannot_be_run_is_refused(
    tmp_path: Path, told: object, mails: list[str], complaint: str
) -> None:
    with pytest.raises(Mistake, match=complaint):
        load(write(tmp_path, told, *mails))


@pytest.mark.parametrize(
    ("said", "expected", "found"),
    [
        ({"a": 1, "b": 2}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, ["x.a: expected 2, got 1"]),
        ({}, {"a": 2}, ["x.a: expected 2, got null"]),
        ([1, 2], [1], ["x: expected [1], got [1, 2]"]),
        ([{"a": 1}], [{"a": 2}], ["x[0].a: expected 2, got 1"]),
        ([], [{}], ["x: expected [{}], got []"]),
        (
            [{"subject": "A"}, {"subject": "B"}],
            [{"subject": "A"}],
            ['x: expected 1: ["A"], got 2: ["A", "B"]'],
        ),
        (None, {"a": 1}, ['x: expected {"a": 1}, got null']),
    ],
)
def test_fields_that_are_not_named_do_not_matter(
    said: object, expected: object, found: list[str]
) -> None:
    assert list(differences(said, expected, "x")) == found


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "where is ingest? Give --origin or --ingest"),
        (["--origin=http://127.0.0.1:9", "--smtp=mx"], "--smtp needs a host and a port"),
        (["nothing-like-it"], "there is no case nothing-like-it; --list prints all"),
        (["--cases=/nonexistent"], "there is no case in /nonexistent"),
        (["--origin=http://127.0.0.1:9", "--token-command=exit 3"], "failed with 3"),
        (["--origin=http://127.0.0.1:9", "--token-command=true"], "it printed nothing"),
        (
            ["--origin=http://127.0.0.1:9", "--token-command=echo t"],
            "PUT http://127.0.0.1:9/v1/people",
        ),
    ],
)
def test_a_wrong_call_is_told_in_one_line(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert complaint in told.err
    assert len(told.err.splitlines()) == 1


def test_the_names_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list", "decision-never-capture"]) == 0
    assert capsys.readouterr().out == "decision-never-capture\n"
