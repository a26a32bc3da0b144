"""The contracts between the services: events, queues, capture addresses, receipts, outcomes.

A change here is a change of a contract: another version of the other side may be running
(docs/upgrades.md). Nothing here does I/O, or imports another room.

| module               | subject                                                             |
|----------------------|---------------------------------------------------------------------|
| `events/`            | the events, with their JSON Schemas and examples in `schemas/`      |
| `topology.py`        | exchanges, queues and bindings                                      |
| `outcomes.py`        | how handling a message can end                                      |
| `capture_address.py` | capture addresses and their keys                                    |
| `broker_users.py`    | each service's user on the broker, and what it may do there         |
| `receipts.py`        | the ledger of what was accepted                                     |
"""
