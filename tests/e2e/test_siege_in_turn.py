"""Each attack of `make bench ARGS="siege"`, small, on one stack whose limits are on.

An attack goes on until the bystander has got all of its mails: others do not wait for what is
attacked. DNS that never answers is waited for as long as the settings allow.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.siege.rounds import Round, Siege
from dev.dns_server import DnsServer
from dev.siege.attacks import ATTACKS
from dev.siege.ground import MIB, Scale
from dev.stack import Stack, own_databases
from tests.deadline import DEADLINE

pytestmark = pytest.mark.full  # twenty minutes; what is done at once is in test_siege.py

_SCALE = Scale(
    mails=4,
    sessions=320,
    mail_bytes=MIB,
    uploads=16,
    upload_bytes=8 * MIB,
    authentication_seconds=60,
    patience=DEADLINE,
)
_IN_FLIGHT_MIB = 96
"""Of mail, in ingest and in what explains; each is in memory about twice when it is read."""
_NAMES = [attack.name for attack in ATTACKS]


@pytest.fixture(scope="module")
def rounds() -> Iterator[dict[str, Round]]:
    """How it was without an attack (`none`), and in each."""
    with (
        DnsServer() as dns,
        tempfile.TemporaryDirectory() as folder,
        Stack(Path(folder), environment=own_databases() | _SCALE.settings(dns)) as stack,
    ):
        yield {done.name: done for done in Siege(stack, dns, _SCALE).rounds(ATTACKS)}


@pytest.mark.parametrize("name", _NAMES)
def test_an_account_that_is_not_attacked_gets_all_of_its_mail_meanwhile(
    rounds: dict[str, Round], name: str, measured: list[str]
) -> None:
    done, quiet = rounds[name], rounds["none"]
    assert sum(done.told.values()) > 0, "there was no attack"
    assert (done.fared.accepted, done.fared.visible) == (done.fared.sent, done.fared.sent)
    slower = max(done.fared.visible_waits) / max(quiet.fared.visible_waits)
    measured.append(f"siege, {name}: the slowest mail was visible after {slower:.1f} x as long")


@pytest.mark.parametrize("name", _NAMES)
def test_a_sender_from_elsewhere_finds_a_place_meanwhile(
    rounds: dict[str, Round], name: str
) -> None:
    assert rounds["none"].places == 10
    assert rounds[name].places == 10


@pytest.mark.parametrize("name", ["RCPT and RSET", "slow DNS", "98 enclosed mails", "boundaries"])
def test_one_network_leaves_room_for_the_mail_of_the_account_that_it_attacks(
    rounds: dict[str, Round], name: str
) -> None:
    assert rounds[name].of_target == rounds["none"].of_target == _SCALE.mails


@pytest.mark.parametrize("name", _NAMES)
def test_an_attack_takes_no_more_memory_than_mail_in_flight_may(
    rounds: dict[str, Round], name: str, measured: list[str]
) -> None:
    done = rounds[name]
    service = next(attack.aims_at for attack in ATTACKS if attack.name == name)
    more = done.most[service] - done.before[service]
    measured.append(f"siege, {name}: {service} {done.before[service]:.0f} MiB, +{more:.0f}")
    assert more < 2 * _IN_FLIGHT_MIB
