"""What a projection says that is compared later."""

import sys

from hypothesis import given
from hypothesis import strategies as st

from services.timeline.write.projection import without_white_space

WHITE = "".join(char for char in map(chr, range(sys.maxunicode + 1)) if char.isspace())


@given(st.text(st.sampled_from(f"abü漢{WHITE}"), max_size=40))
def test_white_space_of_every_kind_is_left_out(text: str) -> None:
    assert without_white_space(text) == "".join(text.split()).encode()


@given(st.text(st.characters(max_codepoint=127), max_size=40))
def test_that_of_ascii_is_the_same(text: str) -> None:
    assert without_white_space(text) == "".join(text.split()).encode()
