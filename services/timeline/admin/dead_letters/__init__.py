"""Dead letters: messages that no handler could process, stored until an operator decides.

    dead.v1 -> keeper.py: the body to the blob store, the document to MongoDB, then the ack
            -> waiting -> replayed   replay.py: sent again to where it failed, confirmed
                       -> dropped    a person said why
                       -> gone after 14 days

* `letter.py` says what is known of a message, whatever it is; `reasons.py` which reasons there are.
* `records.py` keeps the documents, `content.py` reads the mail, `sweep.py` finishes what was
  interrupted and counts, `command.py` is the command, `api/dead_letters.py` the API.
* A settled dead letter keeps no content: its record says what was done, when, by whom and why.
* The intent to replay is stored before the message is sent. After a crash the sweep sends it again:
  handlers recognise a capture that they have processed.
"""
