r"""SMTP on the Internet: 250 means that a mail is durable, and a stranger cannot stall the others.

    server -> commands -> session -> data
                  \-> admission -> connections, and what HTTP shares: `rates.py`, `receive.py`

| module            | subject                                                                |
|-------------------|------------------------------------------------------------------------|
| `server.py`       | listens, and stops without losing a mail                               |
| `commands.py`     | the commands, and what is answered                                     |
| `session.py`      | a session's life: patience, limits, TLS, goodbyes                      |
| `admission.py`    | which recipients and mails are admitted                                |
| `envelope.py`     | a mail as far as it came                                               |
| `data.py`         | DATA and BDAT                                                          |
| `connections.py`  | how many sessions there are, and which one makes room                  |
| `certificate.py`, `proxy_header.py` | STARTTLS; the PROXY protocol                         |
"""
