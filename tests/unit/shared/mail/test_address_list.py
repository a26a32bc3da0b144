from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.mail.address_list import MAX_ADDRESS, Mailbox, read_address_list
from tests.cost import LINEAR, growth

CASES: dict[str, list[str]] = {
    # as it should be
    "a@example.com": ["|a@example.com"],
    "Team <a@example.com>": ["Team|a@example.com"],
    '"Team, Sales" <a@example.com>, b@example.com': ["Team, Sales|a@example.com", "|b@example.com"],
    r'"The \"Team\" \\o/" <a@example.com>': [r'The "Team" \o/|a@example.com'],
    "a@example.com (Sales Team)": ["Sales Team|a@example.com"],
    "<a@example.com> (Sales (EMEA) Team)": ["Sales (EMEA) Team|a@example.com"],
    r"Team(nice \) one) <a(x)@example.com(y)>": ["Team|a@example.com"],
    "Anna.Lead@Example.COM": ["|Anna.Lead@Example.COM"],
    "o'brien+tag@example.com": ["|o'brien+tag@example.com"],
    "a@[192.0.2.1], b@[IPv6:2001:db8::1]": ["|a@[192.0.2.1]", "|b@[IPv6:2001:db8::1]"],
    "müller@bücher.example, 用户@例子.example": ["|müller@bücher.example", "|用户@例子.example"],
    "Team\t<a@example.com>,\r\n b@example.com": ["Team|a@example.com", "|b@example.com"],
    # groups
    "Team: a@example.com, B <b@example.com>;": ["|a@example.com", "B|b@example.com"],
    "T1: a@example.com;, T2: b@example.com;, c@example.com": [
        *("|a@example.com", "|b@example.com", "|c@example.com")
    ],
    "undisclosed-recipients:;": [],
    "Undisclosed recipients:; <>": [],
    "not@example.com: a@example.com;": ["|a@example.com"],
    # obsolete forms
    "<@hop1.example,@hop2.example:a@example.com>": ["|a@example.com"],
    "a . b @ example . com": ["|a.b@example.com"],
    "<a . b @ example.com>": ["|a.b@example.com"],
    ",, a@example.com,,b@example.com,": ["|a@example.com", "|b@example.com"],
    '"a.b"@example.com, c."d"@example.com': ["|a.b@example.com", "|c.d@example.com"],
    # mistakes
    "Team, Sales <a@example.com>": ["Sales|a@example.com"],
    "a@example.com; B <b@example.com>": ["|a@example.com", "B|b@example.com"],
    "mailto:a@example.com, <mailto:b@example.com>": ["|a@example.com", "|b@example.com"],
    "'a@example.com', '' <b@example.com>": ["|a@example.com", "''|b@example.com"],
    "A <a@example.com> B <b@example.com>": ["A|a@example.com", "B|b@example.com"],
    "a@example.com b@example.com": ["|a@example.com", "|b@example.com"],
    "Sales Team a@example.com": ["|a@example.com"],
    "<a@example.com": ["|a@example.com"],
    "A <a@example.com, B <b@example.com": ["A|a@example.com", "B|b@example.com"],
    "A <a@example.com, b@example.com>, c@example.com": [
        *("A|a@example.com", "|b@example.com", "|c@example.com")
    ],
    '"A <a@example.com>, b@example.com': ["A|a@example.com", "|b@example.com"],
    "A (B <a@example.com>, b@example.com": ["A  B|a@example.com", "|b@example.com"],
    "A) <a@example.com>": ["A|a@example.com"],
    "<<a@example.com>>": ["|a@example.com"],
    "<a@example.com> A": ["A|a@example.com"],
    "Dr. A. Team <a@example.com>": ["Dr. A. Team|a@example.com"],
    "A [Sales] <a@example.com>": ["A [Sales]|a@example.com"],
    # what is no address
    "": [],
    "<>": [],
    '"" <>': [],
    "MAILER-DAEMON": [],
    "@example.com, a@, @, a@@example.com, a@b@example.com": [],
    "<not an address>": [],
    '"a@b"@example.com, "a<b"@example.com, "a\\"b"@example.com, ""@example.com': [],
    "a\\@b@example.com": [],
    "a@.example, a@-": [],
    # a local part that is one quoted string
    '"a b"@example.com, <"a, b"@example.com>;': ['|"a b"@example.com', '|"a, b"@example.com'],
    'A <"a b"@example.com>': ['A|"a b"@example.com'],
    'Group: "a b"@example.com, b@example.com;': ['|"a b"@example.com', "|b@example.com"],
    '"a\\ b"@example.com': ['|"a b"@example.com'],
    # a name in quotes that comes close to one
    '"Anna Lead"@example.com <a@example.com>': ["Anna Lead@example.com|a@example.com"],
    '"Anna Lead" @example.com, "Anna Lead"@ example.com': [],
    '"Anna Lead" "a b"@example.com, Anna "a b"@example.com': [],
    '"Anna Lead"."x"@example.com, "a@example.org b"@example.com': [],
    '" "@example.com, " a"@example.com, "a  b"@example.com': [],
    # what looks like another address
    '"victim@example.org" <a@example.com>': ["victim@example.org|a@example.com"],
    "victim@example.org <a@example.com>": ["victim@example.org|a@example.com"],
    "'victim@example.org' <a@example.com>": ["'victim@example.org'|a@example.com"],
    '"victim@example.org"': [],
    '"victim@example.org" a@example.com': ["|a@example.com"],
    '"<victim@example.org>," <a@example.com>': ["<victim@example.org>,|a@example.com"],
    "(victim@example.org) a@example.com": ["victim@example.org|a@example.com"],
    "victim@example.org <>": [],
    "victim@example.org <not an address>": [],
    r'"\" <victim@example.org>, \"" <a@example.com>': ['" <victim@example.org>, "|a@example.com'],
    # encoded words are names
    "=?utf-8?q?victim=40example.org?=": [],
    "<=?utf-8?q?victim=40example.org?=>": [],
    "=?utf-8?q?victim@example.org?=": [],
    "=?utf-8?q?Team,_(Sales)?= <a@example.com>": ["=?utf-8?q?Team,_(Sales)?=|a@example.com"],
    "=?utf-8?q?victim@example.org,?= <a@example.com>": [
        "=?utf-8?q?victim@example.org,?=|a@example.com"
    ],
    # control characters and others that hide
    "a\0b@example.com, <a@example.com\0>, \0": [],
    "a\nb@example.com": ["|b@example.com"],
    "a@exam\x7fple.com, a@\u202eexample.com, a\u200b@example.com": [],
    "a@example.com\u00a0": ["|a@example.com"],
}


@pytest.mark.parametrize("value", CASES)
def test_address_lists_are_read(value: str) -> None:
    read = [f"{mailbox.name}|{mailbox.address}" for mailbox in read_address_list(value)]
    assert read == CASES[value]


def test_an_address_has_at_most_320_characters() -> None:
    longest = "a" * (MAX_ADDRESS - len("@example.com")) + "@example.com"
    assert list(read_address_list(longest)) == [Mailbox("", longest)]
    assert list(read_address_list("a" + longest)) == []


PIECES = st.sampled_from(
    [*"@.\"()<>,;:\\ \0\né[]a'\u202e", "a@b", "=?utf-8?q?", "?=", "mailto:", "<@x:"]
)
LISTS = st.lists(PIECES, max_size=60).map("".join) | st.text()


@settings(deadline=None)
@given(LISTS)
def test_whatever_is_read_is_an_address(value: str) -> None:
    for mailbox in read_address_list(value):
        local, at, domain = mailbox.address.rpartition("@")
        assert local
        assert at
        assert domain
        assert mailbox.address.count("@") == 1
        assert mailbox.address.isprintable()
        assert not set(mailbox.address) & set("<>\\")
        if not local[0] == local[-1] == '"':
            assert not set(mailbox.address) & set(' (),;"')
        assert len(mailbox.address) <= MAX_ADDRESS


@settings(deadline=None)
@given(LISTS)
def test_an_address_is_read_the_same_again(value: str) -> None:
    for mailbox in read_address_list(value):
        again = [f"<{mailbox.address}>", f'"x, <y@z>" <{mailbox.address}>']
        for written in again:
            read = [mailbox.address for mailbox in read_address_list(written)]
            assert read == [mailbox.address]


@settings(deadline=None)
@given(st.text(st.characters(exclude_characters='"\\', exclude_categories=["Cs"])))
def test_a_quoted_name_adds_no_address(name: str) -> None:
    read = [mailbox.address for mailbox in read_address_list(f'"{name}" <a@example.com>')]
    assert read == ["a@example.com"]


CRAFTED: dict[str, Callable[[int], str]] = {
    "addresses": lambda n: ", ".join(f"Some Name {i} <someone{i}@example.com>" for i in range(n)),
    "encoded names": lambda n: "=?utf-8?q?J=C3=B6rg,?= <a@example.com>," * n,
    "nested comments": lambda n: "(" * n + ")" * n + "a@example.com",
    "open comments": lambda n: "(" * n,
    "quotes": lambda n: '"' * (n + 1),
    "escaped quotes": lambda n: '"' + '\\"' * n,
    "quotes and comments": lambda n: '"(' * n,
    "brackets": lambda n: "<" * n,
    "routes": lambda n: "<@a," * n,
    "groups": lambda n: "a:" * n,
    "separators": lambda n: ";," * n,
    "ats": lambda n: "a@" * n,
    "literals": lambda n: "@[1" * n,
    "open words": lambda n: "=?utf-8?q?x" * n,
    "words": lambda n: "a@example.com " * n,
    "white space": lambda n: ". " * n + "@" + " " * n,
    "quoted locals": lambda n: '"a".' * n + "@example.com",
}


@pytest.mark.cost
@pytest.mark.parametrize("name", CRAFTED)
def test_crafted_lists_take_linear_time(name: str) -> None:
    def reading(size: int) -> Callable[[], object]:
        value = CRAFTED[name](size)
        return lambda: list(read_address_list(value))

    assert growth(reading, 2_000) < LINEAR


def test_commas_alone_are_nobody() -> None:
    assert list(read_address_list("," * 100_000)) == []
    assert [m.address for m in read_address_list(f"a@x.example{',' * 500}b@x.example")] == [
        "a@x.example",
        "b@x.example",
    ]
