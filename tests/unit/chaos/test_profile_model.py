"""What profiles must show, may show and may not show, after what was acknowledged."""

import pytest

from chaos.profile_model import Mail, Model


@pytest.fixture
def model() -> Model:
    return Model(["c1", "c2", "c3"])


def mail(model: Model, word: str, *named: str) -> Mail:
    sent = model.sent(word, "u1", named)
    sent.settled = True
    return sent


def must(model: Model, person: str, viewer: str = "u2") -> set[str]:
    return model.timeline(person, viewer).must


def test_mail_in_flight_may_be_shown_and_settled_mail_must_be(model: Model) -> None:
    sent = model.sent("a", "u1", ["c1"])
    assert model.timeline("c1", "u2") == (set(), {"a"})
    sent.settled = True
    assert model.timeline("c1", "u2") == ({"a"}, set())
    assert model.timeline("c2", "u2") == (set(), set())


def test_a_merged_profile_shows_the_mail_of_both_until_that_is_undone(model: Model) -> None:
    mail(model, "a", "c1")
    mail(model, "b", "c2")
    model.merged("c1", "c2")
    model.merged("c2", "c3")
    assert must(model, "c1") == must(model, "c2") == must(model, "c3") == {"a", "b"}
    model.parted("c1")
    assert (must(model, "c1"), must(model, "c3")) == ({"a"}, {"b"})


def test_mail_that_was_removed_from_a_merged_profile_stays_removed_from_each(model: Model) -> None:
    both = mail(model, "a", "c1", "c2")
    model.detached(both, "c1")
    assert (must(model, "c1"), must(model, "c2")) == (set(), {"a"})
    model.merged("c1", "c2")
    assert must(model, "c1") == {"a"}
    assert [*model.removed()] == []
    model.detached(both, "c1")
    model.parted("c1")
    assert must(model, "c2") == set()
    assert [person for _, person in model.removed()] == ["c1", "c2"]
    model.put_back(both, "c2")
    assert (must(model, "c1"), must(model, "c2")) == (set(), {"a"})


def test_private_mail_is_its_owners_also_after_it_was_handed_over(model: Model) -> None:
    mail(model, "a", "c1").private = True
    assert (must(model, "c1", "u1"), must(model, "c1", "u2")) == ({"a"}, set())
    model.handed_over("u1", "u2")
    assert (must(model, "c1", "u1"), must(model, "c1", "u2")) == (set(), {"a"})


def test_mail_of_somebody_deleted_is_hidden_and_comes_back(model: Model) -> None:
    mail(model, "a", "c1")
    model.became("c1", "deleted")
    missed = mail(model, "b", "c1", "c2")
    assert (missed.matches, missed.missed) == ({"c2"}, {"c1"})
    assert model.timeline("c1", "u2") == (set(), set())
    model.became("c1", "there")
    assert model.timeline("c1", "u2") == ({"a"}, {"b"})  # b only if it is delivered again
    assert model.timeline("c2", "u2") == ({"b"}, set())


def test_a_merged_profile_is_blocked_as_one(model: Model) -> None:
    mail(model, "a", "c1")
    model.merged("c1", "c2")
    model.became("c2", "blocked")
    assert (must(model, "c1"), model.open) == (set(), ["c3"])
    assert mail(model, "b", "c1").matches == set()
    model.parted("c1")
    assert (must(model, "c1"), must(model, "c2")) == ({"a"}, set())


def test_of_deleted_mail_and_of_mail_of_the_erased_alone_nothing_may_be_left(model: Model) -> None:
    mail(model, "deleted", "c3").deleted = True
    mail(model, "alone", "c1")
    mail(model, "both", "c1", "c2")
    mail(model, "shared", "c1", "c3")
    model.merged("c1", "c2")
    assert model.erased("c2") == {"c1", "c2"}
    assert model.forgotten() == {"deleted", "alone", "both"}
    model.became("c1", "there")
    assert must(model, "c1") == set()
    assert must(model, "c3") == {"shared"}
    assert model.merged_into == {}


def test_of_mail_that_may_still_be_attached_something_may_be_left(model: Model) -> None:
    model.became("c1", "deleted")
    mail(model, "missed", "c1")
    mail(model, "nobody", "c1").missed = set()
    assert model.forgotten() == {"nobody"}
