"""What every text of a mail is freed from."""

import unicodedata

from shared.mail.part import without_control

KEPT = "\t\n"


def test_no_control_character_stays_but_tabs_and_line_feeds() -> None:
    ascii_ = "".join(map(chr, range(0x80)))
    for text in (ascii_, ascii_ + "é\x85\ufeff"):  # one is read fast, the other is not
        expected = [char for char in text if char in KEPT or unicodedata.category(char)[0] != "C"]
        assert without_control(text) == "".join(expected)
