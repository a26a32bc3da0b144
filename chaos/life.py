"""The life of a pod of each service, phase by phase (`pod_life.py` says what happens)."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from chaos.letters import letters
from chaos.life_report import Moment, Report
from chaos.pods import Pod, manifest
from chaos.proxy import Target, Wires
from chaos.reconcile import Owner
from chaos.scene import Scene
from chaos.settle import reckoning_of
from chaos.visitors import Visitors
from chaos.witnesses import Witnesses
from dev.client import SCOPES, Client, Endpoints
from dev.ledger import Ledger, Letter
from dev.senders import Senders
from dev.stack import PORT_SETTINGS, SERVICES, Stack
from shared.http.auth import sign
from shared.runtime.mistake import Mistake

ACCOUNT, USER = "life", "recruiter@agency.example"
_CANDIDATES = [f"candidate{number}@mail.example" for number in range(4)]
_PATIENCE_SECONDS = 180.0
_GO_ON_SECONDS = 1.0
"""How long after SIGTERM the guests go on who do, and what was silent speaks again."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long each phase is, in seconds."""

    load: float = 10.0
    pre_stop: float = 600.0
    """At most; the manifests say less."""
    probe: float = 600.0
    """Between two probes, at most; the manifests say less."""
    rate: float = 20.0
    """Mails a second."""
    quiet: float = 20.0
    """Until what is missing is lost."""
    timeline_finishes: bool = False
    """Whether the timeline's database speaks again in time. When it does not, its transactions
    wait at the end until mongod gives them up, which takes 15 seconds."""


SHORT = Pace(load=2.0, pre_stop=2.0, probe=0.5, quiet=8.0, timeline_finishes=True)


@dataclass
class Life:
    """A stack without services at first, and what plays the cluster."""

    stack: Stack
    wires: Wires
    pace: Pace
    say: Callable[[str], None]
    story: list[Moment] = field(default_factory=list)
    promises: dict[str, bool] = field(default_factory=dict)
    details: list[str] = field(default_factory=list)
    pods: dict[str, list[Pod]] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)
    began: float = field(default_factory=time.monotonic)

    def play(self) -> Report:
        """Play all of it."""
        self._start_without_broker()
        self._broker_appears()
        client = self._client()
        owners = _fill_directory(client)
        addresses = [list(owners)]
        senders = Senders(
            letters(1, sender=USER, candidates=_CANDIDATES, addresses=addresses),
            self.ledger,
            [self._front("ingest", "INGEST_SMTP_PORT")],
            sessions=8,
            rate=self.pace.rate,
        )
        visitors = Visitors(self._client)
        senders.start()
        visitors.start()
        self.tell("load", f"{self.pace.rate:.0f} mails a second, pages and directory in use")
        time.sleep(self.pace.load)
        self._second_pods()
        witnesses = Witnesses(_lone(addresses), self._token(), self.ledger)
        self._first_pods_leave(witnesses)
        handed_over = len(self.ledger.receipts)
        time.sleep(self.pace.load)
        visitors.stop()
        senders.finish()
        self._kept("no page and no change failed", not visitors.failed, *visitors.failed[:3])
        self.tell("load", f"{visitors.served} requests of pages and directory served")
        self._kept(
            "the second pods took over",
            senders.wait(_PATIENCE_SECONDS) and len(self.ledger.receipts) > handed_over,
        )
        self._try_again(witnesses.unanswered())
        return self._reckon(senders, owners)

    def tell(self, who: str, what: str) -> None:
        """Note what happened."""
        moment = Moment(round(time.monotonic() - self.began, 1), who, what)
        self.story.append(moment)
        self.say(f"{moment.seconds:7.1f} s  {who}: {what}")

    def _kept(self, promise: str, kept: bool, *details: str) -> None:
        self.promises[promise] = kept and self.promises.get(promise, True)
        if not kept:
            self.details += [f"{promise}: {detail}" for detail in details or ("no",)]

    # The phases.

    def _start_without_broker(self) -> None:
        for service in SERVICES:
            self._new_pod(service, 0)
        promise = "without the broker: alive, unready, and it says why"
        for service, [pod] in self.pods.items():
            self._until(f"{service} lives", lambda: pod.started)  # noqa: B023 - used at once
            self._until(f"{service} has all else", lambda: pod.missing() == {"broker"})  # noqa: B023 - used at once
            said = "waiting for the broker" in pod.replica.process.log.read_text()
            alive = pod.status("/healthz") == 200 and not pod.ready
            unready = pod.status("/readyz") == 503
            self._kept(promise, alive and unready and said, service)
        self.tell("pods", "alive and unready; /readyz and log say: the broker is not there")

    def _broker_appears(self) -> None:
        broker = self.stack.broker
        if broker is None:
            raise Mistake("the broker comes and goes, so it must be its own: unset AMQP_URL")
        broker.start()
        appeared = time.monotonic()
        self.tell("broker", "is there")
        for service, [pod] in self.pods.items():
            self._until(f"{service} is ready", lambda: pod.ready)  # noqa: B023 - used at once
        self.tell("pods", f"all ready, {time.monotonic() - appeared:.1f} s after the broker")

    def _second_pods(self) -> None:
        for service in SERVICES:
            self._new_pod(service, 1)
        for service, pods in self.pods.items():
            self._until(f"the second {service} is ready", lambda: pods[1].ready)  # noqa: B023 - used at once

    def _first_pods_leave(self, witnesses: Witnesses) -> None:
        """Let the first pod of each service leave, all at the same time."""
        with ThreadPoolExecutor(len(SERVICES)) as side_by_side:
            ends = [
                side_by_side.submit(self._ingest_leaves, witnesses),
                side_by_side.submit(self._consumer_leaves, "matcher", finishes=False),
                side_by_side.submit(
                    self._consumer_leaves, "timeline", finishes=self.pace.timeline_finishes
                ),
            ]
        for end in ends:
            end.result()
        everyone = [pod for pods in self.pods.values() for pod in pods]
        failures = sum(pod.liveness_failures for pod in everyone)
        complaints = [complaint for pod in everyone for complaint in pod.complaints]
        self._kept("liveness never failed", failures == 0, f"{failures} times")
        self._kept("pods end with 0, within their grace", not complaints, *complaints)

    def _ingest_leaves(self, witnesses: Witnesses) -> None:
        pod = self.pods["ingest"][0]
        pod.leave()
        # The broker confirms nothing for a moment, so that senders wait for a 250.
        to_broker = self.wires.of(pod.replica.name, "broker")
        to_broker.become("stall")
        ports = pod.replica.ports
        witnesses.come(ports["INGEST_SMTP_PORT"], ports["INGEST_HTTP_PORT"])
        self.tell(pod.replica.name, f"SIGTERM, with guests in {len(witnesses.all)} states")
        ending = threading.Thread(target=pod.terminate)
        ending.start()
        time.sleep(_GO_ON_SECONDS)
        early = [witness.name for witness in witnesses.all if witness.is_taken]
        self._kept("no 250 while the broker confirms nothing", not early, *early)
        to_broker.become("flow")
        witnesses.go_on()
        ending.join()
        witnesses.wait()
        for witness in witnesses.all:
            heard = ", ".join(map(str, witness.heard)) or "nothing"
            self.tell(f"  {witness.name}", f"heard {heard}")
            self._kept(
                "guests at SIGTERM are taken, or try again",
                witness.as_expected,
                f"{witness.name}: heard {heard}, expected to be {witness.expected}",
            )

    def _consumer_leaves(self, service: str, *, finishes: bool) -> None:
        """Let its database be silent until it is told to end, and a moment or all the time more."""
        pod = self.pods[service][0]
        pod.leave()
        to_database = self.wires.of(pod.replica.name, "mongod")
        to_database.become("stall")
        in_flight = self._hands_full(pod)
        self._kept("consumers had deliveries in flight at SIGTERM", in_flight > 0, service)
        rest = "speaks again soon" if finishes else "stays silent"
        self.tell(
            pod.replica.name, f"SIGTERM, with {in_flight} deliveries in flight; its database {rest}"
        )
        ending = threading.Thread(target=pod.terminate)
        ending.start()
        if finishes:
            time.sleep(_GO_ON_SECONDS)
            to_database.become("flow")
        ending.join()
        to_database.become("flow")

    def _hands_full(self, pod: Pod) -> int:
        """Return how many deliveries a pod has in flight, once they are some."""
        until = time.monotonic() + 10
        while (count := pod.in_flight()) < 3 and time.monotonic() < until:
            time.sleep(0.1)
        return count

    def _try_again(self, unanswered: list[Letter]) -> None:
        """Send mail without a 250 again, as its senders would."""
        front = [self._front("ingest", "INGEST_SMTP_PORT")]
        senders = Senders(unanswered, self.ledger, front, sessions=2)
        senders.start()
        self._kept("who heard no 250 is taken at last", senders.wait(_PATIENCE_SECONDS))
        self.tell("senders", f"{len(unanswered)} guests who heard no 250 have sent again")

    def _reckon(self, senders: Senders, owners: dict[str, Owner]) -> Report:
        for pods in self.pods.values():
            pods[1].watch_no_more()
        scene = Scene(self.stack, self.wires, self.ledger, senders, None, self.say)
        reckoning = reckoning_of(scene, owners, self.pace.quiet)
        self._kept("every 250 is there exactly once", reckoning.clean, str(reckoning.as_dict()))
        self.tell("reckoning", f"{reckoning.accepted} accepted, {reckoning.found} found once")
        return Report(self.story, self.promises, self.details, reckoning)

    # What they need.

    def _new_pod(self, service: str, number: int) -> None:
        given = manifest(service).hasty(self.pace.pre_stop, self.pace.probe)
        pod = Pod(self.stack.add(service, number), given, self.tell)
        self.pods.setdefault(service, []).append(pod)
        pod.start()

    def _until(self, what: str, happened: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not happened():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what}: not within {_PATIENCE_SECONDS:.0f} s")
            time.sleep(0.05)

    def _front(self, service: str, setting: str) -> int:
        """Return the port of a Service, which leads to one of its pods."""

        def one() -> int | None:
            ready = [pod for pod in self.pods[service] if pod.in_service]
            return random.choice(ready).replica.ports[setting] if ready else None

        target: Target = one
        return self.wires.lay("service", setting, target).port

    def _client(self) -> Client:
        endpoints = Endpoints(
            smtp_port=self._front("ingest", "INGEST_SMTP_PORT"),
            ingest_port=self._front("ingest", "INGEST_HTTP_PORT"),
            matcher_port=self._front("matcher", *PORT_SETTINGS["matcher"]),
            timeline_port=self._front("timeline", *PORT_SETTINGS["timeline"]),
        )
        return Client(endpoints, self.stack.token_secret, account=ACCOUNT, person="u1")

    def _token(self) -> str:
        return sign(
            self.stack.token_secret,
            issuer=self.stack.token_issuer,
            account=ACCOUNT,
            person_id="u1",
            scope=SCOPES,
            expires_at=int(time.time()) + 3600,
        )


def _fill_directory(client: Client) -> dict[str, Owner]:
    """Put users and candidates there; return the owners of their capture addresses."""
    owners = {}
    for number, address in enumerate((USER, "other@agency.example")):
        client.put_person(f"u{number}", "user", "Recruiter", [address])
        owners[client.mint(f"u{number}")] = Owner(ACCOUNT, f"u{number}")
    for number, address in enumerate(_CANDIDATES):
        client.put_person(f"c{number}", "candidate", "Candidate", [address])
    return owners


def _lone(addresses: list[list[str]]) -> Iterator[Letter]:
    """Yield letters to one capture address each, none of them twice."""
    seen = set()
    for letter in letters(2, sender=USER, candidates=_CANDIDATES, addresses=addresses):
        if len(letter.recipients) == 1 and letter.message_id not in seen:
            seen.add(letter.message_id)
            yield letter
