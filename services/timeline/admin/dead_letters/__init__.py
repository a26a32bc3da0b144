"""Dead letters: what no handler could deal with waits here for a person, and is lost by nobody.

    dead.v1 -> keeper.py: the body to the blob store, the document to MongoDB, then the ack
            -> waiting -> replayed   replay.py: sent again to where it failed, confirmed
                       -> dropped    a person said why
                       -> gone after 14 days

* `letter.py` says what is known of a message, whatever it is; `reasons.py` which reasons there are.
* `records.py` keeps the documents, `content.py` reads the mail, `sweep.py` finishes what was
  interrupted and counts, `command.py` is the command, `api/dead_letters.py` the API.
* What is done with leaves no content behind: the record says what was done, when, by whom and why.
* A replay is a promise that is written down before it is kept. Whoever dies half-way leaves it to
  the sweep, which sends once more: handlers recognise a capture that they have dealt with.
"""
