"""The challenge, and by what it is known again."""

from datetime import UTC, datetime

import pytest

from services.matcher.round_trip.challenge import FIELD, challenge_mail, round_trip_in
from shared.contracts.capture_address import KeyRing, handle_for, new_round_trip_id, return_path_id
from shared.mail.headers import read_header_block

DOMAIN = "in.satchel.test"
RING = KeyRing.parse("k2:" + "t" * 20 + ",k1:" + "s" * 20)
OLD = KeyRing.parse("k1:" + "s" * 20)
ID = new_round_trip_id(datetime(2026, 1, 15, tzinfo=UTC).timestamp())


def challenge(ring: KeyRing = RING, recipient: str = "user@team.example") -> bytes:
    return challenge_mail(
        ring.round_trip_token(ID),
        sender="satchel@agency.example",
        recipient=recipient,
        domain=DOMAIN,
        now=datetime.now(UTC),
        repeated=False,
    )


def found(raw: bytes) -> str | None:
    return round_trip_in(read_header_block(raw), RING)


def test_it_is_known_whatever_is_written_on_its_way() -> None:
    raw = challenge()
    assert found(raw) == ID
    assert found(b"Received: from x\r\nDelivered-To: user@team.example\r\n" + raw) == ID
    assert found(raw.replace(FIELD.encode(), FIELD.upper().encode())) == ID
    assert found(raw.replace(b"\r\n", b"\n")) == ID


def test_one_signed_before_a_key_was_promoted_counts() -> None:
    assert found(challenge(OLD)) == ID


def test_one_of_another_deployment_is_a_mail_like_any_other() -> None:
    assert found(challenge(KeyRing.parse("k1:" + "u" * 20))) is None


def test_one_changed_letter_is_too_much() -> None:
    token = RING.round_trip_token(ID)
    for place in range(len(token)):
        other = "a" if token[place] != "a" else "b"
        forged = token[:place] + other + token[place + 1 :]
        assert RING.round_trip_of(forged) is None


def test_the_body_and_the_ids_of_an_answer_do_not_count() -> None:
    token = RING.round_trip_token(ID)
    raw = f"From: a@x\r\nIn-Reply-To: <round-trip.{token}@{DOMAIN}>\r\n\r\n{FIELD}: {token}\r\n"
    assert found(raw.encode()) is None
    assert b"round-trip" not in challenge().partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize(
    "value",
    ["", "." * 2000, "a" * 100_000, "\xff", f"{ID}.", f".{ID}"],
    ids=["nothing", "dots", "long", "octet", "no mac", "no id"],  # ID is made by chance
)
def test_hostile_tokens_are_none(value: str) -> None:
    raw = f"{FIELD}: {value}\r\nMessage-ID: <round-trip.{value}@x>\r\n\r\n"
    assert found(raw.encode("utf-8", "replace")) is None


def test_only_the_first_tokens_of_a_header_are_looked_at() -> None:
    many = f"{FIELD}: {'a' * 20}.{'b' * 26}\r\n" * 50
    assert found(many.encode() + challenge()) is None


def test_no_address_writes_a_field_of_its_own() -> None:
    with pytest.raises(ValueError, match="control"):
        challenge(recipient="a@x.example>\r\nBcc: <b@x.example")


class TestReturnPath:
    def test_it_is_a_capture_address_of_the_deployment_for_ten_days(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = 1_800_000_000.0
        monkeypatch.setattr("shared.contracts.capture_address.time.time", lambda: now)
        id_ = new_round_trip_id(now)
        path = RING.mint_return_path("acme", id_, DOMAIN)
        assert len(path.partition("@")[0]) <= 64
        assert RING.verify(path.upper(), DOMAIN)
        assert return_path_id(path) == id_
        for days, counts in ((10, True), (12, False), (-2, False)):
            monkeypatch.setattr(
                "shared.contracts.capture_address.time.time", lambda days=days: now + days * 86_400
            )
            assert (RING.verify(path, DOMAIN) is not None) is counts, days

    def test_no_name_of_a_user_leads_to_one(self) -> None:
        for name in ("return--" + ID, "Return  " + ID, "return--"):
            assert return_path_id(f"{handle_for(name)}.x@{DOMAIN}") is None
        assert return_path_id(RING.mint("acme", "anna", DOMAIN).address) is None

    def test_a_made_up_one_is_refused(self) -> None:
        path = RING.mint_return_path(
            "acme", new_round_trip_id(datetime.now(UTC).timestamp()), DOMAIN
        )
        other = path.replace("return--", "return--a", 1)
        assert RING.verify(other, DOMAIN) is None
