"""What clients ask for. Reads only what the viewer (`viewer.py`) may see, page by page.

* `inbox.py` lists conversations, `mails.py` lists mails and `raw.py` reads their bytes.
* `search_query.py` parses a search, `search.py` finds its mails, `phrases.py` checks their words.
* `read_state.py` keeps what a user has read: the one thing that this room writes.
* `live.py` sends hints of `changes.py`; `bounces.py` and `confirmations.py` answer for theirs.
* `cursors.py` says where a page ends.
"""
