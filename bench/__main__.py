"""`make bench`: the measurements. `ARGS="way ..."` (the default), or one of the others by its name.

way        SMTP in, visible in MongoDB: how fast, and how soon
decisions  how many decisions a second with a directory of a million people, and the memory
pages      how fast each view's page is with up to a million mails, and what it looks at
crafted    how long mails take that were crafted to be expensive
siege      what a hostile sender is told, what memory it takes, and how a normal one fares
fair       how long one account waits while another floods
capacity   what a mail costs each process, in processor time and bytes
plan       what so many mails a second need, by what was measured
"""

import sys

from bench import capacity, crafted, decisions, fair, pages, plan, siege, way
from dev.terminal import command

_BENCHES = {
    "way": way.main,
    "decisions": decisions.main,
    "pages": pages.main,
    "crafted": crafted.main,
    "siege": siege.main,
    "fair": fair.main,
    "capacity": capacity.main,
    "plan": plan.main,
}


def main() -> int:
    """Run the measurement that was asked for."""
    words = sys.argv[1:]
    name = words.pop(0) if words and words[0] in _BENCHES else "way"
    return _BENCHES[name](words)


if __name__ == "__main__":
    sys.exit(command("make bench", main))
