"""The arguments of `--dead-letters`."""

import argparse
import os
from collections.abc import Sequence

from services.timeline.admin.dead_letters.letter import STATES

OPTIONS = """\
  --dead-letters list [--reason R] [--state S] [--account A] [--limit N] [--json]
      list the newest dead letters of all accounts, including those of no known account. S is
      waiting (default), replayed, dropped or any; N is 50 by default
  --dead-letters show ID [--json | --raw]
      show one with its event and the header of its mail; --raw writes the raw mail instead
  --dead-letters replay ID... | --reason R | --all [--account A] [--by WHO] [--json]
      send them back to their queue; replaying one twice is harmless
  --dead-letters drop ID... | --reason R | --all [--account A] --why TEXT [--by WHO] [--json]
      drop them: their mail is deleted, who dropped them and why is kept
      exit codes: 0 all done, 1 some failed, 2 wrong usage

"""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the parsed arguments; `action` names the command. Exits with 2 if they are wrong."""
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
        parser.error("choose dead letters by ID, by --reason R, or with --all")
    return given


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise ValueError
    return count
