"""What happened in a pod's life, which promises were kept, and both as tables."""

from dataclasses import asdict, dataclass

from rich.table import Table

from chaos.reconcile import Reckoning


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened, so many seconds after the start."""

    seconds: float
    who: str
    what: str


@dataclass
class Report:
    """What happened, and what was kept."""

    story: list[Moment]
    promises: dict[str, bool]
    details: list[str]
    """What broke a promise, in words."""
    reckoning: Reckoning

    @property
    def clean(self) -> bool:
        """Whether every promise was kept."""
        return all(self.promises.values())

    def as_dict(self) -> dict[str, object]:
        """Return it for JSON."""
        return {
            "clean": self.clean,
            "story": [asdict(moment) for moment in self.story],
            "promises": self.promises,
            "details": self.details,
            **self.reckoning.as_dict(),
        }


def story_table(report: Report) -> Table:
    """Return what happened."""
    shown = Table(title="A pod's life", title_justify="left")
    shown.add_column("seconds", justify="right")
    shown.add_column("who")
    shown.add_column("what")
    for moment in report.story:
        shown.add_row(f"{moment.seconds:.1f}", moment.who, moment.what)
    return shown


def promises_table(report: Report) -> Table:
    """Return what was kept, and the reckoning."""
    shown = Table(title="What must hold", title_justify="left")
    shown.add_column("")
    shown.add_column("", justify="right")
    for promise, kept in report.promises.items():
        shown.add_row(promise, "yes" if kept else "NO")
    for detail in report.details:
        shown.add_row(f"  {detail}", "")
    shown.add_section()
    for name, count in report.reckoning.as_dict().items():
        shown.add_row(name.replace("_", " "), str(count))
    return shown
