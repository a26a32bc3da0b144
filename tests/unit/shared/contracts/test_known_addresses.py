"""Hashes by which a person is known: what is the same name, and what is nobody's name."""

import pytest

from shared.contracts.known_addresses import address_hash, name_hash


@pytest.mark.parametrize(
    "name",
    [
        "Jane Roe",
        "jane  ROE",
        "Roe, Jane",
        '"Jane Roe"',
        "\uff2a\uff41\uff4e\uff45 Roe",
        " Jane\tRoe ",
    ],
)
def test_a_name_is_the_same_in_any_order_and_case(name: str) -> None:
    assert name_hash("acme", "c1", name) == name_hash("acme", "c1", "Jane Roe")


@pytest.mark.parametrize("name", ["", "Jane", "info", "Jürgen", "---"])
def test_a_single_word_is_nobodys_name(name: str) -> None:
    assert name_hash("acme", "c1", name) is None


@pytest.mark.parametrize("name", ["\u5c71\u7530\u592a\u90ce", "\uae40\ubbfc\uc218"])
def test_a_name_that_is_written_in_one_word_is_one(name: str) -> None:
    assert name_hash("acme", "c1", name) is not None


@pytest.mark.parametrize("name", ["Jane Row", "Jane Roe Roe", "Jane M. Roe"])
def test_another_name_has_another_hash(name: str) -> None:
    assert name_hash("acme", "c1", name) != name_hash("acme", "c1", "Jane Roe")


def test_nobody_has_anothers_hash() -> None:
    hashes = {
        name_hash("acme", "c1", "Jane Roe"),
        name_hash("acme", "c2", "Jane Roe"),
        name_hash("globex", "c1", "Jane Roe"),
        address_hash("acme", "c1", "jane roe"),
    }
    assert len(hashes) == 4
