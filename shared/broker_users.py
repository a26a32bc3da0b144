"""What each service may do on the broker, when it has a user of its own there.

A service declares and reads its own queues, and publishes its own events. So who takes over ingest
can send mail, and neither read what others sent nor publish a decision. Any user with more rights
works as well.

* `configure`, `write` and `read` are RabbitMQ's: regular expressions of names. Declaring a queue
  with a dead-letter exchange needs all three of it. What may be configured may be deleted.
* `publishes` and `binds` are topic permissions on the mail exchange: routing keys.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.events import EVENTS, MailReceived
from shared.topology import DEAD_EXCHANGE, MAIL_EXCHANGE

VHOST = "/"
_NOTHING = "^$"


@dataclass(frozen=True, slots=True)
class Permissions:
    """What a user may do."""

    configure: str
    write: str
    read: str
    publishes: str
    binds: str


def _keys(keys: Iterable[str]) -> str:
    return f"^({'|'.join(re.escape(key) for key in sorted(keys))})$"


_RECEIVED = _keys(MailReceived.routing_keys())
_DECIDED = _keys(
    key for event in EVENTS.values() if event is not MailReceived for key in event.routing_keys()
)
_EXCHANGES = f"{re.escape(MAIL_EXCHANGE)}|{re.escape(DEAD_EXCHANGE)}"
_MATCHER = rf"^(matcher\..*|{_EXCHANGES})$"
_TIMELINE = rf"^(timeline\..*|dead\.v1|{_EXCHANGES})$"

USERS: Mapping[str, Permissions] = {
    "ingest": Permissions(
        configure=_NOTHING,
        write=f"^{re.escape(MAIL_EXCHANGE)}$",
        read=_NOTHING,
        publishes=_RECEIVED,
        binds=_NOTHING,
    ),
    "matcher": Permissions(
        configure=_MATCHER, write=_MATCHER, read=_MATCHER, publishes=_DECIDED, binds=_RECEIVED
    ),
    # It replays dead letters, whatever they are.
    "timeline": Permissions(
        configure=_TIMELINE, write=_TIMELINE, read=_TIMELINE, publishes=".*", binds=_DECIDED
    ),
}
"""By the service, which is the user's name too."""


def definitions(passwords: Mapping[str, str], admin: str) -> dict[str, Any]:
    """Return the users as RabbitMQ's `load_definitions` reads them, and one who may do all.

    `passwords` are those of each service and of `admin`, by name.
    """
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    permissions = [{"user": admin, "vhost": VHOST, **everything}]
    topics = []
    for name, may in USERS.items():
        about = {"user": name, "vhost": VHOST}
        own = {"configure": may.configure, "write": may.write, "read": may.read}
        permissions.append({**about, **own})
        on_exchange = {"exchange": MAIL_EXCHANGE, "write": may.publishes, "read": may.binds}
        topics.append({**about, **on_exchange})
    users = [
        {
            "name": name,
            "password": passwords[name],
            "tags": "administrator" if name == admin else "",
        }
        for name in (admin, *USERS)
    ]
    return {
        "users": users,
        "vhosts": [{"name": VHOST}],
        "permissions": permissions,
        "topic_permissions": topics,
    }
