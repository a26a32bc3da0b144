"""Reading a mail: from its raw bytes to what it says. Pure, no I/O.

* `reader.py` reads the whole mail. `body.py` makes its text and its HTML (`safe_html.py`) without
  pasted files (`inline_data.py`, `data_images.py`); `images.py` says which images are shown.
* `new_part/` tells what a mail adds from what it quotes.
* `automatic.py` says whether a person wrote it, `invite.py` which event it invites to
  (`calendar_lines.py`, `zones.py`).
* `terms.py` makes the words by which it is found.
"""
