"""What each service may do on the broker, if it has a user of its own there.

A service declares and reads its own queues, and publishes its own events. So an attacker who takes
over ingest can send mail, but cannot read other mail or publish a decision. Any user with more
rights works as well.

* This module needs nothing but Python: `make env` and `make secrets` run before there is a `.venv`.
* `configure`, `write` and `read` are RabbitMQ's: regular expressions of names. Declaring a queue
  with a dead-letter exchange needs all three. What may be configured may be deleted.
* `publishes` and `binds` are topic permissions on the mail exchange: routing keys.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAIL_EXCHANGE = "satchel.mail"
"""As in `topology.py`, which needs more than Python."""
VHOST = "/"
_NOTHING = "^$"


@dataclass(frozen=True, slots=True)
class Permissions:
    """The permissions of a broker user."""

    configure: str
    write: str
    read: str
    publishes: str
    binds: str


_RECEIVED, _DECIDED = r"^mail\.received\.", r"^(?!mail\.received\.)"
_TO_MATCHER = r"^(mail\.received|(account_)?erasure\.done|review\.(capture|walked|settled))\."
_MATCHER = r"^(matcher\..*|satchel\.(mail|dead))$"
_TIMELINE = r"^(timeline\..*|dead\.v1|satchel\.(mail|dead))$"

USERS: Mapping[str, Permissions] = {
    "ingest": Permissions(
        configure=_NOTHING,
        write=r"^satchel\.mail$",
        read=_NOTHING,
        publishes=_RECEIVED,
        binds=_NOTHING,
    ),
    "matcher": Permissions(
        configure=_MATCHER, write=_MATCHER, read=_MATCHER, publishes=_DECIDED, binds=_TO_MATCHER
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
