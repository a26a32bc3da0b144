"""The words of `--dead-letters`."""

import argparse
import os
from collections.abc import Sequence

from services.timeline.admin.dead_letters.letter import STATES

OPTIONS = """\
  --dead-letters list [--reason R] [--state S] [--account A] [--limit N] [--json]
      show the newest dead letters, of all accounts and of nobody known; S is waiting (when not
      given), replayed, dropped or any; N is 50 when not given
  --dead-letters show ID [--json | --raw]
      show one with its event and the header of its mail; with --raw write its mail
  --dead-letters replay ID... | --reason R | --all [--account A] [--by WHO] [--json]
      send them to where they could not be handled; doing it twice is doing it once
  --dead-letters drop ID... | --reason R | --all [--account A] --why TEXT [--by WHO] [--json]
      give them up; what they carry is removed, who and why is kept
      exit codes: 0 all is done, 1 something is not, 2 the command was not understood

"""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return what was asked for: `action`, and what goes with it. Exits with 2 when it is wrong."""
    parser = argparse.ArgumentParser(
        prog="timeline --dead-letters", add_help=False, allow_abbrev=False
    )
    actions = parser.add_subparsers(dest="action", required=True)
    listing, showing, replaying, dropping = (
        actions.add_parser(word, add_help=False, allow_abbrev=False)
        for word in ("list", "show", "replay", "drop")
    )
    listing.add_argument("--state", choices=[*STATES, "any"], default="waiting")
    listing.add_argument("--limit", type=_count, default=50)
    showing.add_argument("id")
    showing.add_argument("--raw", action="store_true")
    dropping.add_argument("--why", required=True)
    for action in (replaying, dropping):
        action.add_argument("ids", nargs="*", metavar="ID")
        action.add_argument("--all", action="store_true")
        action.add_argument("--by", default=os.environ.get("USER") or "command")
    for action in (listing, replaying, dropping):
        action.add_argument("--reason")
        action.add_argument("--account")
    for action in (listing, showing, replaying, dropping):
        action.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    if "ids" in given and sum(map(bool, (given.ids, given.reason, given.all))) != 1:
        parser.error("name them by ID, by --reason R, or by --all")
    return given


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise ValueError
    return count
