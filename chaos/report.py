"""How a run ended, as a table and as JSON."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from rich.table import Table

from chaos.profile_lives import Lives
from chaos.reconcile import Reckoning
from chaos.watch import Felt


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did, and how it ended."""

    seed: int
    faults: dict[str, Felt]
    left_out: dict[str, str]
    """Kinds that cannot be done here, and why."""
    reckoning: Reckoning
    sending_seconds: float
    drain_seconds: float
    slowest_stop_seconds: float
    complaints: list[str]
    refusals: list[str]
    siege: Mapping[str, Counter[str]] = field(default_factory=dict)
    """What attackers were told, by attack."""
    lives: Lives | None = None
    """How profiles fared that lived meanwhile."""

    @property
    def clean(self) -> bool:
        """Whether every promise was kept."""
        lived_well = self.lives is None or self.lives.clean
        return self.reckoning.clean and not self.complaints and lived_well

    def as_dict(self) -> dict[str, object]:
        """Return it for JSON."""
        return {
            "seed": self.seed,
            "clean": self.clean,
            **self.reckoning.as_dict(),
            "faults_total": sum(felt.count for felt in self.faults.values()),
            "faults": {kind: felt.as_dict() for kind, felt in self.faults.items()},
            "left_out": self.left_out,
            "sending_seconds": round(self.sending_seconds, 1),
            "drain_seconds": round(self.drain_seconds, 1),
            "slowest_stop_seconds": round(self.slowest_stop_seconds, 1),
            "complaints": self.complaints,
            "refusals": self.refusals[:20],
            "siege": {name: dict(told) for name, told in self.siege.items()},
            "lives": self.lives.as_dict() if self.lives is not None else {},
        }


def faults_table(report: Report) -> Table:
    """Return what each kind of fault did to the flow of mail."""
    title = f"Fault run, seed {report.seed}: mails a second before > during > after"
    shown = Table(title=title, title_justify="left")
    shown.add_column("fault")
    for column in ("count", "seconds", "accepted", "visible", "retries"):
        shown.add_column(column, justify="right")
    for kind, felt in report.faults.items():
        shown.add_row(
            kind,
            str(felt.count),
            f"{felt.seconds:.0f}",
            _rates(felt.accepted),
            _rates(felt.visible),
            str(felt.retries),
        )
    for kind, why in report.left_out.items():
        shown.add_row(kind, "left out", why)
    return shown


def outcome_table(report: Report) -> Table:
    """Return what became of the mails."""
    shown = Table(title="What was promised, and what is there", title_justify="left")
    shown.add_column("")
    shown.add_column("count", justify="right")
    shown.add_row("faults", str(sum(felt.count for felt in report.faults.values())))
    names = {"refused_5xx": "5xx for a passing fault", "found": "found exactly once"}
    for name, count in report.reckoning.as_dict().items():
        shown.add_row(names.get(name, name), str(count))
    shown.add_row("seconds of sending", f"{report.sending_seconds:.0f}")
    shown.add_row("seconds until drained", f"{report.drain_seconds:.0f}")
    shown.add_row("slowest orderly stop, seconds", f"{report.slowest_stop_seconds:.1f}")
    for attack, told in report.siege.items():
        answers = ", ".join(f"{code} x {count:,}" for code, count in sorted(told.items()))
        shown.add_row(f"attack: {attack}", answers)
    if report.lives is not None:
        _add_lives(shown, report.lives)
    for complaint in report.complaints:
        shown.add_row("and", complaint)
    return shown


def _add_lives(shown: Table, lives: Lives) -> None:
    """Add what was done to profiles, and what they show."""
    names = {"tried_again": "requests tried again", "too_much": "shown where it may not be"}
    for name, value in lives.as_dict().items():
        if isinstance(value, int) and not isinstance(value, bool):
            shown.add_row(f"lives: {names.get(name, name.replace('_', ' '))}", str(value))
    done = ", ".join(f"{name} x {count}" for name, count in sorted(lives.operations.items()))
    shown.add_row("lives: operations", done)
    for complaint in lives.complaints:
        shown.add_row("lives: and", complaint)


def _rates(rates: dict[str, float]) -> str:
    return " > ".join(f"{rates[name]:.0f}" for name in ("before", "during", "after"))
