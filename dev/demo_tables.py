"""The demo's outcome as tables."""

from typing import Any

from rich.table import Table

from dev.demo_mails import PEOPLE

_NOT_DISMISSED = ("confirmation", "quarantined")


def states(setup: dict[str, Any]) -> tuple[str, str]:
    """Return how far both halves of a set-up have come."""
    return setup["halves"]["sent"]["state"], setup["halves"]["received"]["state"]


def setup_table(setups: list[dict[str, Any]]) -> Table:
    """Return how the first recruiter's set-up went on."""
    _, name, _ = PEOPLE["u1"]
    table = Table(title=f"Set-up of {name}, from the API", title_justify="left")
    for column in ("after", "mail I send", "mail I receive", "what waits for an answer"):
        table.add_column(column, no_wrap=True)
    moments = ("the address was minted", "Gmail's question", "the week's mails")
    for moment, setup in zip(moments, setups, strict=True):
        asked = [f"{q['provider']}: {q['code']}" for q in setup["confirmations"]]
        waits = states(setup)[1] == "awaiting_confirmation"
        table.add_row(moment, *states(setup), ", ".join(asked) if waits else "")
    return table


def inbox_table(conversations: list[dict[str, Any]]) -> Table:
    """Return the inbox of the account."""
    table = Table(title="Inbox of the account, from the API", title_justify="left")
    for column in ("last mail", "mails", "subject", "profiles", "newest words"):
        table.add_column(column, no_wrap=column in ("last mail", "profiles"))
    for conversation in conversations:
        subject = conversation["subject"]
        table.add_row(
            conversation["last_mail_at"][:16].replace("T", " "),
            str(conversation["mail_count"]),
            f"[bold]{subject}[/bold]" if conversation["unread"] else subject,
            ", ".join(profile["name"] for profile in conversation["profiles"]),
            conversation["snippet"],
        )
    return table


def timeline_table(profile: str, mails: list[dict[str, Any]]) -> Table:
    """Return the mails of a profile."""
    _, name, _ = PEOPLE[profile]
    table = Table(title=f"Timeline of {name} ({profile}), from the API", title_justify="left")
    for column in ("date", "direction", "from", "subject", "captured by", "profiles"):
        table.add_column(column, no_wrap=column != "subject")
    for mail in mails:
        table.add_row(
            mail["date"][:16].replace("T", " "),
            mail["direction"],
            mail["from"]["address"],
            mail["subject"],
            ", ".join(owners(mail)),
            ", ".join(profiles(mail)),
        )
    return table


def tally_table(tally: dict[str, int]) -> Table:
    """Return the count of each outcome."""
    table = Table(title="What became of the captures", title_justify="left")
    table.add_column("outcome")
    table.add_column("captures", justify="right")
    table.add_row("attached", str(tally.get("attached", 0)))
    for reason, count in sorted(tally.items()):
        if reason != "attached":
            word = reason if reason in _NOT_DISMISSED else f"dismissed: {reason}"
            table.add_row(word, str(count))
    return table


def owners(mail: dict[str, Any]) -> list[str]:
    """Return who captured a mail."""
    return sorted(capture["person_id"] for capture in mail["captured_by"])


def profiles(mail: dict[str, Any]) -> list[str]:
    """Return the profiles that a mail is on."""
    return sorted({match["person_id"] for match in mail["matches"]})
