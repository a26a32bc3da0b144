"""The character set of a text, or a header, without a label or with a wrong one.

The detector is used only if neither the label nor UTF-8 fits, with at most SAMPLE_BYTES of the
lines that have 8-bit bytes, and only its answers about character sets of mail count: a few bytes
fit anything. Everything else is Windows-1252, as Western mail always was.
"""

import re
from itertools import islice

import chardet

from shared.mail.labels import raw_codec_of

SAMPLE_BYTES = 8192
WESTERN = "cp1252"
_LEAST_BYTES = 4
"""Outside of ASCII; with fewer, names with one accent would become Hebrew."""
_CERTAIN = {
    # what the detector calls it: (codec, the least confidence that counts)
    "CP932": ("cp932", 0.3),
    "EUC-JP": ("euc_jp", 0.3),
    "GB18030": ("gb18030", 0.2),
    "Big5": ("big5hkscs", 0.3),
    "big5hkscs": ("big5hkscs", 0.3),
    "CP949": ("cp949", 0.3),
    "Windows-1251": ("cp1251", 0.2),
    "KOI8-R": ("koi8_r", 0.2),
    "koi8-u": ("koi8_u", 0.2),
    "ISO-8859-5": ("iso8859_5", 0.3),
    "Windows-1253": ("cp1253", 0.2),
    "ISO-8859-7": ("iso8859_7", 0.2),
    "Windows-1255": ("cp1255", 0.2),
    "Windows-1256": ("cp1256", 0.2),
    "CP874": ("cp874", 0.2),
    "TIS-620": ("cp874", 0.2),
    "Windows-1250": ("cp1250", 0.1),
    "ISO-8859-2": ("iso8859_2", 0.1),
    "Windows-1254": ("cp1254", 0.1),
    "Windows-1257": ("cp1257", 0.1),
}

_LABEL = re.compile(rb"charset[ \t]*=[ \t]*[\"']?([A-Za-z0-9_.:+-]{1,40})", re.IGNORECASE)
_MAX_LABELS, _MAX_BYTES = 100, 4 << 20


def charset_of_text(raw: bytes) -> str:
    """Return the label of the first text in a mail in which raw 8-bit bytes would mean something.

    Programs that write 8-bit bytes into headers mean the character set of the text. Empty if none;
    UTF-8 is none, since it is tried in any case. Looks at the first 4 MiB.
    """
    for found in islice(_LABEL.finditer(raw, 0, _MAX_BYTES), _MAX_LABELS):
        label = found[1].decode()
        if raw_codec_of(label):
            return label
    return ""


def detect(data: bytes) -> str:
    """Return the codec for text whose label does not fit."""
    lines = (line for line in data[: 8 * SAMPLE_BYTES].split(b"\n") if not line.isascii())
    sample = b"\n".join(lines)[:SAMPLE_BYTES]
    if sum(byte > 127 for byte in sample) < _LEAST_BYTES:
        return WESTERN
    found = chardet.detect(sample)
    codec, least = _CERTAIN.get(str(found["encoding"]), (WESTERN, 0.0))
    return codec if float(found["confidence"] or 0) >= least else WESTERN
