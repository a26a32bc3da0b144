"""Where a multipart is cut. RFC 2046 section 5.1.1."""

import re
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.mail.boundaries import children_of
from shared.mail.mime import MAX_PARTS
from tests.cost import LINEAR, growth, ratio


def by_lines(body: bytes, boundary: bytes) -> list[bytes]:
    """Cut at the boundary line by line: slow, and easy to see that it is right."""
    children: list[bytes] = []
    start = None
    for line in re.finditer(rb"([^\r\n]*)(\r\n|\r|\n|\Z)", body):
        said = re.fullmatch(rb"--" + boundary + rb"(--)?[ \t]*", line[1])
        if said is None:
            continue
        if start is not None:
            children.append(re.sub(rb"(\r\n|\r|\n)\Z", b"", body[start : line.start()]))
        start = line.end()
        if said[1]:
            return children
    return children if start is None else [*children, body[start:]]


@given(st.lists(st.sampled_from([b"--b", b"--", b"\r\n", b"\n", b"\r", b" ", b"x"]), max_size=20))
def test_a_multipart_is_cut_where_a_line_is_its_boundary(pieces: list[bytes]) -> None:
    body = b"".join(pieces)
    assert children_of(body, "b", MAX_PARTS) == by_lines(body, b"b")


@pytest.mark.cost
@pytest.mark.parametrize("piece", [b"--b", b"\n--bx", b"\r--b--x", b"\r\n--b \t", b"\n--b\n"])
def test_lines_that_only_begin_as_a_boundary_take_linear_time(piece: bytes) -> None:
    assert growth(lambda size: partial(children_of, piece * size, "b", MAX_PARTS), 5000) < LINEAR


def test_text_that_is_full_of_its_boundary_costs_about_as_much_as_to_search_it() -> None:
    body = b"--b" * 1_000_000
    assert ratio(lambda: children_of(body, "b", MAX_PARTS), lambda: body.count(b"\nxxxx")) < 20
