"""`make bench`: the measurements. `ARGS="way ..."` (the default), `"decisions ..."`, `"pages ..."`,
`"crafted ..."`.

way        SMTP in, visible in MongoDB: how fast, and how soon
decisions  how many decisions a second with a directory of a million people, and the memory
pages      how fast each view's page is with up to a million mails, and what it looks at
crafted    how long mails take that were crafted to be expensive
"""

import sys

from bench import crafted, decisions, pages, way
from dev.terminal import command

_BENCHES = {
    "way": way.main,
    "decisions": decisions.main,
    "pages": pages.main,
    "crafted": crafted.main,
}


def main() -> int:
    """Run the measurement that was asked for."""
    words = sys.argv[1:]
    name = words.pop(0) if words and words[0] in _BENCHES else "way"
    return _BENCHES[name](words)


if __name__ == "__main__":
    sys.exit(command("make bench", main))
