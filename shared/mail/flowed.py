"""Joining the lines that a sender wrapped: `format=flowed`. RFC 3676.

* A line that ends in a space goes on in the next line, if both are quoted as deeply.
* The space that is put before `>`, `From ` or a space is taken away again.
* A signature separator (`-- `) is a line of its own, and so is an empty line: people see where a
  paragraph ends, although a space before it says otherwise. So is a rule, with which mailing lists
  begin what they put below a text that they did not read.
* Time is linear. The text grows by one space per quoted line at most.
"""

import re

_SIGNATURE = "-- "
_RULE = re.compile(r"--|[-_=*#~]{5,}+")


def unflow(text: str, *, delete_space: bool) -> str:
    """Return a text with its paragraphs in one line each. RFC 3676 section 4.

    `text` has LF line ends. `delete_space` is the parameter `DelSp`: the space at the end of a
    flowed line is no part of the text.
    """
    joined: list[str] = []
    paragraph: list[str] = []
    paragraph_depth = 0

    def end_paragraph() -> None:
        if paragraph:
            joined.append(_quoted("".join(paragraph), paragraph_depth))
            paragraph.clear()

    for line in text.split("\n"):
        content = line.lstrip(">")
        depth = len(line) - len(content)
        content = content.removeprefix(" ")
        if depth != paragraph_depth or content in ("", _SIGNATURE) or _RULE.fullmatch(content):
            end_paragraph()
        paragraph_depth = depth
        is_flowed = content.endswith(" ") and content != _SIGNATURE
        paragraph.append(content[:-1] if is_flowed and delete_space else content)
        if not is_flowed:
            end_paragraph()
    end_paragraph()
    return "\n".join(joined)


def _quoted(content: str, depth: int) -> str:
    if content != _SIGNATURE:
        content = content.rstrip(" ")
    return f"{'>' * depth} {content}" if depth and content else ">" * depth + content
