import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.capture_address import (
    CaptureAddress,
    KeyRing,
    account_tag,
    handle_for,
    new_round_trip_id,
    return_path_id,
)

DOMAIN = "in.satchel.test"
OLD, NEW = "k1:" + "o" * 20, "k2:" + "n" * 20
MINTED = KeyRing.parse(OLD).mint("acme", "anna", DOMAIN)


@given(account=st.text(min_size=1, max_size=64), name=st.text(max_size=80))
def test_a_minted_address_is_verified_in_any_case(account: str, name: str) -> None:
    ring = KeyRing.parse(OLD)
    minted = ring.mint(account, handle_for(name), DOMAIN)
    local = minted.address.partition("@")[0]
    assert len(local) < 64
    assert ring.verify(minted.address.upper(), DOMAIN.lower()) == minted
    assert minted.account_tag == account_tag(account)


@given(st.data())
def test_a_changed_character_makes_an_address_worthless(data: st.DataObject) -> None:
    local = MINTED.address.partition("@")[0]
    index = data.draw(st.integers(0, len(local) - 1))
    other = data.draw(
        st.sampled_from("abcdefghijklmnopqrstuvwxyz234567-.").filter(
            lambda character: character != local[index]
        )
    )
    changed = local[:index] + other + local[index + 1 :]
    assert KeyRing.parse(OLD).verify(f"{changed}@{DOMAIN}", DOMAIN) is None


def test_another_domain_is_not_ours() -> None:
    ring = KeyRing.parse(OLD)
    address = ring.mint("acme", "anna", DOMAIN).address
    assert ring.verify(address.replace(DOMAIN, "elsewhere.test"), DOMAIN) is None


def test_a_user_gets_a_different_address_each_time() -> None:
    ring = KeyRing.parse(OLD)
    assert ring.mint("acme", "anna", DOMAIN) != ring.mint("acme", "anna", DOMAIN)


def test_keys_roll_over_without_a_refused_address() -> None:
    before, both = KeyRing.parse(OLD), KeyRing.parse(f"{OLD},{NEW}", "k1")
    promoted = KeyRing.parse(f"{OLD},{NEW}", "k2")
    old, new = before.mint("acme", "anna", DOMAIN), promoted.mint("acme", "anna", DOMAIN)
    for ring in (both, promoted):
        assert ring.verify(old.address, DOMAIN) == old
        assert ring.verify(new.address, DOMAIN) == new
    assert before.verify(new.address, DOMAIN) is None, "why a key is given out before it signs"


@pytest.mark.parametrize(
    ("keys", "signing", "says"),
    [
        ("", None, "at least one"),
        ("nosecret", None, "id:secret"),
        ("k1:short", None, "at least 16"),
        (f"{OLD},{OLD}", None, "twice"),
        (OLD, "k9", "not among"),
        (f"k.1:{'o' * 20}", None, "id:secret"),
        (f"{'k' * 33}:{'o' * 20}", None, "id:secret"),
        ("k1:" + "o" * 15, None, "at least 16"),
    ],
)
def test_an_unusable_ring_says_why(keys: str, signing: str | None, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        KeyRing.parse(keys, signing)


@pytest.mark.parametrize(
    ("name", "handle"),
    [
        ("Anna Müller", "anna-muller"),
        ("  ", "mail"),
        ("張偉", "mail"),
        ("x" * 50, "x" * 32),
        ("A.--B", "a-b"),
        ("-Anna-", "anna"),
        ("-" + "x" * 33, "x" * 32),
        ("x" * 31 + " y", "x" * 31),
        ("Zoë K. 3rd", "zoe-k-3rd"),
    ],
)
def test_handles_are_readable(name: str, handle: str) -> None:
    assert handle_for(name) == handle


def test_the_hash_of_a_dismissed_mail_depends_on_account_and_key() -> None:
    ring, other = KeyRing.parse(OLD), KeyRing.parse(NEW)
    hashes = {
        ring.forgetful_hash("a", "1@x"),
        ring.forgetful_hash("b", "1@x"),
        ring.forgetful_hash("a", "2@x"),
        other.forgetful_hash("a", "1@x"),
    }
    assert len(hashes) == 4


def test_a_ring_is_read_as_it_is_written() -> None:
    ring = KeyRing.parse(f" {'k' * 32}:{'o' * 16} , ,{NEW},")
    assert ring.secrets_by_id == {"k" * 32: b"o" * 16, "k2": b"n" * 20}
    assert ring.signing_id == "k" * 32, "the first"
    assert KeyRing.parse(f"{OLD},{NEW}", "k2").signing_id == "k2"


def test_an_address_that_was_minted_once_stays_good() -> None:
    """Users have it in their address books: how it is made may not change under them."""
    given = f"anna.{account_tag('acme')}abcdeikohhltbic7bdlax@{DOMAIN}"
    verified = KeyRing.parse(f"{NEW},{OLD}").verify(f" {given.upper()}. ", DOMAIN)
    assert verified == CaptureAddress(given, account_tag("acme"), "k1")
    assert account_tag("acme") == "qivthlmh"


def test_a_minted_address_has_the_parts_that_it_is_said_to_have() -> None:
    local, _, domain = MINTED.address.partition("@")
    handle, _, rest = local.partition(".")
    assert (handle, domain, MINTED.key_id) == ("anna", DOMAIN, "k1")
    assert len(rest) == 8 + 5 + 16
    assert rest.startswith(MINTED.account_tag)


@pytest.mark.parametrize("address", ["", "@", DOMAIN, f"@{DOMAIN}", f"anna@{DOMAIN}", "anna"])
def test_what_is_no_capture_address_is_none(address: str) -> None:
    assert KeyRing.parse(OLD).verify(address, DOMAIN) is None


def test_the_address_is_what_follows_the_last_at_sign() -> None:
    assert KeyRing.parse(OLD).verify(f"{MINTED.address}@elsewhere.test", DOMAIN) is None


def test_old_mail_has_the_same_capture_id_each_time() -> None:
    """Brought along twice it counts once, also after another key signs."""
    given = CaptureAddress(f"anna.key@{DOMAIN}", "tag", "k1")
    known = KeyRing.parse(OLD).backfill_id(given, b"a mail")
    assert str(known) == "9b057714-979c-5f48-9266-07fa452b05f0"
    assert known.version == 5
    assert KeyRing.parse(f"{OLD},{NEW}", "k2").backfill_id(given, b"a mail") == known
    others = {
        known,
        KeyRing.parse(OLD).backfill_id(given, b"another mail"),
        KeyRing.parse(OLD).backfill_id(CaptureAddress(f"bo.key@{DOMAIN}", "tag", "k1"), b"a mail"),
        KeyRing.parse("k1:" + "x" * 20).backfill_id(given, b"a mail"),
    }
    assert len(others) == 4


def test_the_hash_of_a_dismissed_mail_stays_as_it_was() -> None:
    hashed = KeyRing.parse(f"{OLD},{NEW}").forgetful_hash("acme", "1@x")
    assert hashed == "7bbf3e8deecd4e52ac75098d3b0b4c9c"
    assert len(hashed) == 32


class TestRoundTrip:
    """The id of a round trip, its signed token and its return path."""

    NOW = 1_800_000_000.0
    DAY = 20_833  # NOW's: 0, 20, 11 and 1 of base 32
    ID = "aulb" + "a" * 16
    RING = KeyRing.parse(f"{OLD},{NEW}")

    def test_an_id_is_the_day_and_eighty_random_bits(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("secrets.token_bytes", lambda count: bytes(range(count)))
        for now in (self.DAY * 86_400, self.NOW, (self.DAY + 1) * 86_400 - 1):
            assert new_round_trip_id(now) == "aulbaaaqeayeaudaocaj"
        assert new_round_trip_id((self.DAY + 31) * 86_400).startswith("aumaa")

    def test_a_token_that_was_made_once_stays_good(self) -> None:
        """Challenges that are on their way are known after an update, and in any case."""
        token = self.RING.round_trip_token(self.ID)
        assert token == f"{self.ID}.ykhjohscarbn3uhcroz2ddm4p5"
        for ring in (self.RING, KeyRing.parse(f"{NEW},{OLD}")):
            assert ring.round_trip_of(f" {token.upper()} ") == self.ID

    @pytest.mark.parametrize(
        "token",
        [
            "",
            "no token",
            f"{ID}.{'a' * 26}",
            f"{ID}.ykhjohscarbn3uhcroz2ddm4p5a",
            f"{'b' + ID[1:]}.ykhjohscarbn3uhcroz2ddm4p5",
        ],
    )
    def test_what_no_key_signed_is_no_token(self, token: str) -> None:
        assert self.RING.round_trip_of(token) is None

    def test_a_return_path_names_its_round_trip(self) -> None:
        path = self.RING.mint_return_path("acme", self.ID, DOMAIN)
        assert path.startswith(f"return--{self.ID}.{account_tag('acme')}")
        assert path.endswith(f"@{DOMAIN}")
        assert return_path_id(path) == self.ID

    @pytest.mark.parametrize(
        "handle", ["", ID, f"return-{ID}", f"return--{ID[1:]}", f"return--{ID}a", "return--"]
    )
    def test_another_handle_is_of_no_round_trip(self, handle: str) -> None:
        assert return_path_id(f"{handle}.x@{DOMAIN}") is None

    @pytest.mark.parametrize(
        ("days", "counts"), [(-2, False), (-1, True), (0, True), (10, True), (11, False)]
    )
    def test_a_return_path_counts_for_ten_days(
        self, monkeypatch: pytest.MonkeyPatch, days: int, counts: bool
    ) -> None:
        """It is valid a day early, too: the clock that dated it may be ahead."""
        path = self.RING.mint_return_path("acme", self.ID, DOMAIN)
        monkeypatch.setattr("time.time", lambda: (self.DAY + days) * 86_400)
        assert (self.RING.verify(path, DOMAIN) is not None) is counts

    @pytest.mark.parametrize("id_", ["", ID[1:], f"{ID}a", "aulb" + "-" * 16])
    def test_a_return_path_of_no_round_trip_is_refused(
        self, monkeypatch: pytest.MonkeyPatch, id_: str
    ) -> None:
        """Even if we signed it."""
        monkeypatch.setattr("time.time", lambda: self.NOW)
        path = self.RING.mint_return_path("acme", id_, DOMAIN)
        assert self.RING.verify(path, DOMAIN) is None
