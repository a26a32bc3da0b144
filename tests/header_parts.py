"""Text that a header may have, and what may be stored of it."""

import unicodedata

from hypothesis import strategies as st

ANY_TEXT = st.text(st.characters(exclude_categories=())) | st.text(
    st.sampled_from("=?utf-8?q?b?latin1 éあ\u0301\udce9\ud800\r\n\0\"(<@>),;:\\*%'")
)


def storable(text: str) -> bool:
    text.encode()
    return not any(unicodedata.category(char) == "Cc" for char in text)
