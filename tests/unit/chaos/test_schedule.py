import itertools
from collections import Counter

from chaos.letters import letters
from chaos.schedule import FULL_BLOBS, KINDS, PAIRS, SERVICES, schedule
from chaos.watch import Sample, Struck, felt
from shared.blobs import CLAIM_CHECK_BYTES


def sent(seed: int, count: int = 400) -> list[object]:
    endless = letters(seed, sender="s@a.test", candidates=["c@a.test"], addresses=["x", "y", "z"])
    return list(itertools.islice(endless, count))


class TestSchedule:
    def test_a_seed_replays_it(self) -> None:
        assert schedule(1, 5, short=False) == schedule(1, 5, short=False)
        assert schedule(1, 5, short=False) != schedule(2, 5, short=False)

    def test_every_kind_comes_as_often_and_strikes_each_replica_and_both(self) -> None:
        faults = schedule(3, 5, short=False)
        assert Counter(fault.kind for fault in faults) == dict.fromkeys(KINDS, 5)
        assert len(faults) >= 100
        for kind in KINDS:
            victims = {fault.victims for fault in faults if fault.kind == kind}
            assert victims == {(0,), (1,), (0, 1)}

    def test_what_waits_for_a_timeout_lasts_longer_than_it_once(self) -> None:
        faults = schedule(4, 5, short=False)
        lasting = {fault.kind for fault in faults if fault.seconds > 10}
        assert lasting == {"freeze broker", "freeze mongod", *(f"half-open {p}" for p in PAIRS)}

    def test_a_kind_can_be_left_out_without_changing_the_others(self) -> None:
        whole = schedule(5, 2, short=True)
        without = schedule(5, 2, short=True, without={FULL_BLOBS})
        assert without == [fault for fault in whole if fault.kind != FULL_BLOBS]

    def test_every_service_and_pair_is_named(self) -> None:
        assert {service for service, _ in PAIRS.values()} == set(SERVICES)


class TestLetters:
    def test_a_seed_replays_them(self) -> None:
        assert sent(1) == sent(1)
        assert sent(1) != sent(2)

    def test_where_there_is_one_address_each_has_it(self) -> None:
        endless = letters(1, sender="s@a.test", candidates=["c@a.test"], addresses=["x"])
        assert {letter.recipients for letter in itertools.islice(endless, 100)} == {("x",)}

    def test_they_are_of_all_sorts(self) -> None:
        endless = letters(1, sender="s@a.test", candidates=["c@a.test"], addresses=["x", "y", "z"])
        made = list(itertools.islice(endless, 400))
        times = Counter(letter.message_id for letter in made)
        assert max(times.values()) > 1
        assert {letter.attach for letter in made} == {True, False}
        assert {len(letter.recipients) for letter in made} == {1, 2}
        assert any(len(letter.raw) > CLAIM_CHECK_BYTES for letter in made)
        assert any(b"\r\nIn-Reply-To: <" in letter.raw for letter in made)


def test_what_is_felt_is_the_flow_before_during_and_after() -> None:
    samples = [Sample(float(s), 10 * min(s, 10) + max(0, s - 20) * 30, s, 0) for s in range(60)]
    found = felt(samples, [Struck("kill broker", 10.0, 20.0)])["kill broker"]
    assert found.accepted == {"before": 10.0, "during": 0.0, "after": 30.0}
    assert (found.count, found.seconds) == (1, 10.0)
