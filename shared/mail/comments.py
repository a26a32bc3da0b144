"""Comments in structured header fields. RFC 5322 section 3.2.2."""

import re

_COMMENT_TOKEN = re.compile(r"\\.|[()<]|[^\\()<]++|\\", re.DOTALL)


def without_comments(text: str, until: str = "") -> str:
    """Return the text outside of comments; all that follows `until` is outside of them."""
    kept: list[str] = []
    depth = 0
    for token in _COMMENT_TOKEN.finditer(text):
        if token[0] == "(":
            depth += 1
        elif token[0] == ")":
            depth = max(0, depth - 1)
        elif not depth:
            if token[0] == until:
                return "".join([*kept, text[token.start() :]])
            kept.append(token[0])
    return "".join(kept)
