"""Whose mail is never captured: what a list names, and what can be on one."""

import pytest

from services.matcher.decision.never_capture import NOTHING, never_capture_of
from services.matcher.directory.never_capture_entries import check_address, check_domain


@pytest.mark.parametrize(
    ("address", "is_named"),
    [
        ("a@clinic.example", True),
        ("a@mail.clinic.example", True),
        ("a@a.b.clinic.example", True),
        ("a@myclinic.example", False),
        ("a@clinic.example.org", False),
        ("a@example", False),
        ("clinic.example@other.example", False),
        ('"a@clinic.example"@other.example', False),
        ("partner@home.example", True),
        ("partner+tag@home.example", False),
        ("part.ner@home.example", False),
        ("partner@mail.home.example", False),
        ("a@xn--brse-5qa.example", True),
        ("nobody", False),
        ("", False),
        ("a@", False),
        ("a@.", False),
    ],
)
def test_an_address_is_named_by_itself_or_by_a_domain_at_or_above_its_own(
    address: str, is_named: bool
) -> None:
    never = never_capture_of(["Partner@Home.example"], ["Clinic.example.", "börse.example"])
    assert never.names(address) is is_named


def test_an_empty_list_names_no_one_and_lists_join() -> None:
    one, other = never_capture_of(["a@x.example"], []), never_capture_of([], ["y.example"])
    assert not NOTHING
    assert not NOTHING.names("a@x.example")
    assert one | NOTHING is one
    assert NOTHING | other is other
    third = never_capture_of(["b@x.example"], [])
    for joined in (one | other | third, one | (other | third)):
        for address in ("a@x.example", "z@y.example", "b@x.example"):
            assert joined.names(address)
        assert not joined.names("c@x.example")
        assert len(joined) == 3


@pytest.mark.parametrize(
    "written", [" A@X.example ", '"a"@x.example', "a@x.example.", "A@x.EXAMPLE"]
)
def test_an_address_is_kept_in_the_form_in_which_addresses_compare(written: str) -> None:
    assert check_address(written) == "a@x.example"


@pytest.mark.parametrize("written", ["", "a", "a@", "@x.example", "a@x.example, b@x.example"])
def test_what_is_no_address_is_said_so(written: str) -> None:
    with pytest.raises(ValueError, match=r"^is not an email address"):
        check_address(written)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (" Clinic.Example. ", "clinic.example"),
        ("BÖRSE.example", "xn--brse-5qa.example"),
        ("a.co.uk", "a.co.uk"),
        ("_x.example.com", "_x.example.com"),
    ],
)
def test_a_domain_is_kept_in_the_form_in_which_domains_compare(written: str, kept: str) -> None:
    assert check_domain(written) == kept


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("*.example.com", "write example.com"),
        ("@example.com", "write example.com"),
        (".example.com", "write example.com"),
        ("a@example.com", "write example.com"),
        ("", "is not a domain"),
        ("exa mple.com", "is not a domain"),
        ("https://example.com", "is not a domain"),
        ("example.com/x", "is not a domain"),
        ("a..example.com", "is not a domain"),
        ("-a.example.com", "is not a domain"),
        (f"{'a' * 64}.example", "is not a domain"),
        (f"{'a.' * 126}example", "is not a domain"),
        ("com", "different owners"),
        ("co.uk", "different owners"),
        ("localhost", "different owners"),
    ],
)
def test_what_is_no_domain_is_said_so_in_one_line(written: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as said:
        check_domain(written)
    assert "\n" not in str(said.value)
