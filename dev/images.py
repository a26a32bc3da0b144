"""`make images`: the images of others that are not pinned by digest; a release has none.

Its owner can move a tag; a digest says what was tried. Digests come from a registry:
`docker buildx imagetools inspect python:3.11-slim-bookworm` prints that of a tag, and it is written
behind it: `python:3.11-slim-bookworm@sha256:...`. Dependabot and Renovate keep both current.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
FILES = ("services/*/Dockerfile", "ops/Dockerfile", "docker-compose.yml", "deploy/k8s/**/*.yaml")
_NAMED = re.compile(
    r"^FROM (?:--\S+ )?(?P<base>\S+)|^\s*-?\s*image: *[\"']?(?P<image>[^\s\"'#]+)", re.MULTILINE
)
_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")


def named(text: str) -> Iterator[str]:
    """Yield the images of others that a file names: not ours, and no stage of its own."""
    stages = set(re.findall(r"^FROM \S+ AS (\S+)", text, re.MULTILINE))
    for found in _NAMED.finditer(text):
        image = found["base"] or found["image"]
        if image not in stages and not image.startswith("satchel-"):
            yield image


def unpinned(text: str) -> list[str]:
    """Return the images of a file that have no digest."""
    return [image for image in named(text) if not _DIGEST.search(image)]


def main() -> int:
    """Print them; return 1 when there are any."""
    found = 0
    for pattern in FILES:
        for path in sorted(ROOT.glob(pattern)):
            for image in unpinned(path.read_text()):
                sys.stdout.write(f"{path.relative_to(ROOT)}: {image} has no digest\n")
                found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
