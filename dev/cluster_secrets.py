"""`make secrets`: prints fresh Secrets for a cluster, for `kubectl create -f -`; nothing is kept.

* `create`, never `apply`: new CAPTURE_KEYS in the place of the old would end every capture address.
* Both have each service's user of the broker. The operator that makes these users in `production`
  sees only Secrets with its label. `local` has the databases' URLs and the secret of
  tokens too; in `production` an operator makes the former of passwords, and tokens are verified by
  JWKS.

Needs nothing but Python.
"""

import json
import secrets
import sys
from typing import Any

from dev.env import secrets_for_compose
from shared.contracts.broker_users import USERS, definitions

OVERLAYS = ("local", "production")
FOR_TOPOLOGY_OPERATOR = {"rabbitmq.com/topology-operator": "true"}
"""rabbitmq/messaging-topology-operator, api/v1beta1/labels.go: from 1.20 on it refuses a User whose
Secret lacks it."""


_BROKER_USERS = {f"{name}-broker" for name in USERS}


def cluster_secrets(overlay: str) -> dict[str, dict[str, str]]:
    """Return fresh contents of every Secret that an overlay needs and no operator creates."""
    made = secrets_for_compose()
    ours = {
        "capture-keys": {"CAPTURE_KEYS": made["CAPTURE_KEYS"]},
        "erasure-key": {"ERASURE_SIGNING_KEY": made["ERASURE_SIGNING_KEY"]},
        **{f"{name}-broker": _broker_user(name, overlay) for name in USERS},
    }
    if overlay == "production":
        return ours | {
            f"{service}-database-password": {"password": secrets.token_urlsafe(32)}
            for service in ("matcher", "timeline", "backup")
        }
    passwords = {name: ours[f"{name}-broker"]["password"] for name in USERS}
    passwords["satchel"] = made["RABBITMQ_PASSWORD"]
    url = "mongodb://database-0.database-svc.satchel.svc:27017/?replicaSet=rs0"
    return ours | {
        "token-secret": {"TOKEN_SECRET": made["TOKEN_SECRET"]},
        "broker-users": {"users.json": json.dumps(definitions(passwords, "satchel"))},
        "matcher-database": {"connectionString.standard": url},
        "timeline-database": {"connectionString.standard": url},
    }


def _broker_user(name: str, overlay: str) -> dict[str, str]:
    """Return a service's user, as the service and the broker's operator read it."""
    password = secrets.token_urlsafe(32)
    scheme, port = ("amqps", 5671) if overlay == "production" else ("amqp", 5672)
    url = f"{scheme}://{name}:{password}@broker.satchel.svc:{port}/"
    return {"username": name, "password": password, "connection_string": url}


def manifest(overlay: str) -> dict[str, Any]:
    """Return them as one Kubernetes object."""
    return {
        "apiVersion": "v1",
        "kind": "List",
        "items": [
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {
                    "name": name,
                    "namespace": "satchel",
                    "labels": FOR_TOPOLOGY_OPERATOR if name in _BROKER_USERS else {},
                },
                "stringData": content,
            }
            for name, content in cluster_secrets(overlay).items()
        ],
    }


def main() -> None:
    """Print them."""
    overlay = sys.argv[1] if len(sys.argv) == 2 else ""
    if overlay not in OVERLAYS:
        sys.stderr.write(f"usage: python3 -m dev.cluster_secrets {'|'.join(OVERLAYS)}\n")
        sys.exit(2)
    json.dump(manifest(overlay), sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
