"""`make bench`: the measurements. `ARGS="way ..."` (the default), or one of the others by its name.

way        SMTP in, visible in MongoDB: how fast, how soon, at what cost
decisions  how many decisions a second with a directory of a million people, and the memory
pages      how fast each view's page is with up to a million mails, and what it examines
pages-browser  how large, how fast and how lasting the pages are, in a browser
crafted    how long mails take that were crafted to be expensive
siege      what attacks achieve, and what they cost accounts that they do not target
fair       how long one account waits while another floods
capacity   what a mail costs each process, in processor time and bytes
plan       what a rate of mail needs, from measured costs
terms      the costs of ways to index search terms
"""

import sys
from importlib import import_module

from dev.terminal import command

_BENCHES = {
    "way": "bench.way.command",
    "decisions": "bench.decisions",
    "pages": "bench.pages",
    "pages-browser": "bench.pages_browser.command",
    "crafted": "bench.crafted",
    "siege": "bench.siege.command",
    "fair": "bench.fair",
    "capacity": "bench.capacity",
    "plan": "bench.plan",
    "terms": "bench.terms",
}
"""Imported when asked for: what drives a stack from outside works with other versions of it."""


def main() -> int:
    """Run the measurement that was asked for."""
    words = sys.argv[1:]
    name = words.pop(0) if words and words[0] in _BENCHES else "way"
    status: int = import_module(_BENCHES[name]).main(words)
    return status


if __name__ == "__main__":
    sys.exit(command("make bench", main))
