"""The sealed rematch window: captures that matched no profile, for a profile that is added later.

    no_match, window on -> sealed (`sealing.py`) -> stored (`sealed.py`) -> dismissed as ever
    a person changes -> the outbox asks which sealed captures name them -> these are wanted
    -> one replica opens them, oldest first, and decides again (`opening.py`) -> attached
    the window ends, is shortened or turned off -> the day's key is destroyed (`ending.py`)

| module       | subject                                                                 |
|--------------|-------------------------------------------------------------------------|
| `sealing.py` | what a capture is encrypted with, and by what it is found; pure         |
| `keys.py`    | whether an account's window is on, and the keys of its days             |
| `seeking.py` | finds the sealed captures that name an address                          |
| `sealed.py`  | the sealed captures: kept, opened, destroyed                            |
| `opening.py` | what becomes of those that a change of the directory names              |
| `ending.py`  | destroys what has reached its end                                       |

Off unless an account turns it on. docs/privacy.md says who can learn what of a sealed capture.
"""
