"""What clients ask for. Reads only what the viewer (`viewer.py`) may see, page by page.

* `inbox.py` lists conversations, `mails.py` lists mails and `raw.py` reads their bytes.
* `search_query.py` parses a search, `search.py` finds its mails, `phrases.py` checks their words.
* `merges.py` says on which profile the mail of merged ones is shown.
* `read_state.py` stores what a user has read: the only write of this room.
* `live.py` sends hints of changes (`changes.py`).
* `bounces.py`, `confirmations.py`, `conversations.py` and `people.py` read what was stored of each.
* `parts.py` reads documents as typed records, whole or in part.
* `cursors.py` names the position where the next page begins.
"""
