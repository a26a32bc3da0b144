"""`make bench`: the measurements. `ARGS="way ..."` (the default) or `ARGS="decisions ..."`.

way        SMTP in, visible in MongoDB: how fast, and how soon
decisions  how many decisions a second with a directory of a million people, and the memory
"""

import sys

from bench import decisions, way
from dev.terminal import command

_BENCHES = {"way": way.main, "decisions": decisions.main}


def main() -> int:
    """Run the measurement that was asked for."""
    words = sys.argv[1:]
    name = words.pop(0) if words and words[0] in _BENCHES else "way"
    return _BENCHES[name](words)


if __name__ == "__main__":
    sys.exit(command("make bench", main))
