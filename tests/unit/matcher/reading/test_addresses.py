"""Which addresses the directory takes, and in which form they compare."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.matcher.reading.addresses import check, normalise
from shared.mail.headers import addresses

REAL = [
    "anna.lead@example.com",
    "Anna.Lead+jobs@Example.COM",
    # dots in odd places
    "taro..yamada.@keitai.example",
    ".taro@keitai.example",
    "taro.@keitai.example",
    "...@keitai.example",
    '"taro..yamada."@keitai.example',
    '"taro".yamada@keitai.example',
    # one quoted string
    '"anna lead"@example.com',
    '"lead, anna (jobs)"@example.com',
    # characters that are rare, but real
    "o'brien@example.com",
    "a/b=c&d@example.com",
    "host!user@example.com",
    "{x}|~`^*?$%#@example.com",
    "cn=anna/ou=hr@gateway.example",
    "-@example.com",
    "_@example.com",
    # domains
    "user@localhost",
    "user@some_host.example",
    "user@xn--bcher-kva.example",
    "用户@例子.example",
    "müller@bücher.example",
    "user@[192.0.2.1]",
    "user@[IPv6:2001:db8::1]",
    "user@mail.test",
    "user@printer.local",
    "user@1and1.example",
    "user@example.com.",
    "x" * 308 + "@example.com",
]
NONE = [
    "",
    "anna",
    "@example.com",
    "anna@",
    "anna@@example.com",
    "anna@b@example.com",
    "anna lead@example.com",
    "anna@exam ple.com",
    "anna @example.com",
    "anna@example..com",
    "anna@.example",
    "anna@-",
    "a@x.example, b@x.example",
    "a@x.example;b@x.example",
    "a@x.example b@x.example",
    "<anna@example.com>",
    "Anna <anna@example.com>",
    "anna@example.com (Anna)",
    "mailto:anna@example.com",
    "'anna@example.com'",
    '""@example.com',
    '"anna  lead"@example.com',
    '"Anna Lead" @example.com',
    '"Anna" "anna lead"@example.com',
    '"anna@home"@example.com',
    "an\\na@example.com",
    "an\0na@example.com",
    "anna@exa\nmple.com",
    "anna\u200b@example.com",
    "anna@\u202eexample.com",
    "anna@example.com>",
    "undisclosed-recipients:;",
    "x" * 309 + "@example.com",
]


@pytest.mark.parametrize("address", REAL)
def test_addresses_that_real_mail_carries_are_taken_and_found(address: str) -> None:
    assert check(f" {address}\t") == address
    local, _, domain = address.rpartition("@")
    headers = [address, f"Anna <{address}>", f'"Lead, Anna" <{address}>, other@x.example']
    if '"' not in local and len(address) < 319:
        headers.append(f'<"{local}"@{domain}>')
    for header in headers:
        assert normalise(addresses([header])[0].address) == normalise(address)


@pytest.mark.parametrize("address", NONE)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="is not an email address"):
        check(address)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('"taro..yamada."@keitai.example', "taro..yamada.@keitai.example"),
        ('"Taro"."Yamada"@keitai.example', "taro.yamada@KEITAI.example"),
        ('"o\'brien"@example.com', "o'brien@example.com"),
        ('"a\\b"@example.com', "ab@example.com"),
        ("anna@BÜCHER.example", "anna@xn--bcher-kva.example"),
        ("anna@example.com.", "anna@example.com"),
        ("mu\u0308ller@example.com", "müller@example.com"),
    ],
)
def test_addresses_that_mean_the_same_compare_as_the_same(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("Anna.Lead+x@Example.com", "anna.lead+x@example.com"),
        (" anna@example.com ", "anna@example.com"),
        ("a..b.@example.com", "a..b.@example.com"),
        # quotes that are needed stay
        ('"a b"@example.com', '"a b"@example.com'),
        ('"a@b"@example.com', '"a@b"@example.com'),
        ('"open@example.com', '"open@example.com'),
    ],
)
def test_the_form_in_which_addresses_compare(address: str, key: str) -> None:
    assert normalise(address) == key


PIECES = st.sampled_from(
    [*"ab.@\"'<>(),;:\\ \0é[]=?!/+-_", "x.example", "=?utf-8?q?a?=", "\uff41", "\u0308"]
)
ANY = st.lists(PIECES, max_size=16).map("".join) | st.text(max_size=40)


@settings(deadline=None)
@given(st.builds("{}@{}".format, ANY, ANY) | ANY)
def test_what_is_taken_is_found_and_nothing_else(address: str) -> None:
    try:
        taken = check(address)
    except ValueError:
        return
    local, _, domain = taken.rpartition("@")
    written = [taken, f"<{taken}>", f'"{"x, <y@z.example>"}" <{taken}>', f"{taken} (note)"]
    if '"' not in local and len(taken) < 319:
        written.append(f'"{local}"@{domain}')
    for value in written:
        found = [normalise(mailbox.address) for mailbox in addresses([value])]
        assert found == [normalise(taken)]
    assert normalise(normalise(taken)) == normalise(taken)


@settings(deadline=None)
@given(ANY)
def test_what_a_header_names_is_taken(value: str) -> None:
    for mailbox in addresses([value]):
        domain = mailbox.address.rpartition("@")[2].removesuffix(".")
        if "" not in domain.split("."):
            assert check(mailbox.address) == mailbox.address


@settings(deadline=None)
@given(st.emails())
def test_ordinary_addresses_keep_their_form(address: str) -> None:
    assert check(address) == address
    assert normalise(address) == address.lower()
