"""Each service's user on the broker, the same in every deployment."""

import json
from urllib.parse import urlsplit

import pytest
import yaml

from dev.cluster_secrets import cluster_secrets
from dev.generate import ROOT
from shared.contracts import broker_users
from shared.contracts.broker_users import USERS, definitions
from shared.contracts.topology import DEAD, DEAD_EXCHANGE, MAIL_EXCHANGE
from tests.contract.test_manifests import NAMES, OURS, containers_of_ours, environment
from tests.manifests import OVERLAYS, of_kind, render

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def test_the_names_are_those_of_the_topology() -> None:
    assert broker_users.MAIL_EXCHANGE == MAIL_EXCHANGE
    assert DEAD_EXCHANGE == "satchel.dead"
    assert DEAD.name == "dead.v1"


def test_the_compose_file_has_these_users() -> None:
    text = COMPOSE["configs"]["rabbitmq-users"]["content"]
    found = json.loads(text.replace("$$", "$"))
    passwords = {user["name"]: user["password"] for user in found["users"]}
    assert passwords.keys() == {"satchel", *USERS}
    assert len({*passwords.values()}) == len(passwords)
    assert found == definitions(passwords, "satchel")
    told = COMPOSE["services"]
    for name in USERS:
        assert told[name]["environment"]["AMQP_URL"] == (
            f"amqp://{name}:{passwords[name]}@rabbitmq:5672/"
        )
    assert (
        "load_definitions = /etc/rabbitmq/users.json" in (COMPOSE["configs"]["rabbitmq"]["content"])
    )


@pytest.mark.parametrize("overlay", NAMES)
def test_a_service_in_a_cluster_has_its_own_user(overlay: str) -> None:
    for name in OURS:
        service, _, container = containers_of_ours(overlay)[name]
        url = urlsplit(environment(overlay, container)["AMQP_URL"])
        assert url.username == service
        assert url.password


def test_the_printed_users_are_those_of_the_services() -> None:
    made = cluster_secrets("local")
    found = json.loads(made["broker-users"]["users.json"])
    passwords = {user["name"]: user["password"] for user in found["users"]}
    assert found == definitions(passwords, "satchel")
    assert {name: made[f"{name}-broker"]["password"] for name in USERS} == {
        name: passwords[name] for name in USERS
    }


@pytest.mark.parametrize(
    ("overlay", "place"), [("local", "amqp:5672"), ("production", "amqps:5671")]
)
def test_a_service_speaks_tls_to_the_broker_in_production(overlay: str, place: str) -> None:
    for name in USERS:
        url = urlsplit(cluster_secrets(overlay)[f"{name}-broker"]["connection_string"])
        assert f"{url.scheme}:{url.port}" == place


@pytest.mark.parametrize("name", USERS)
def test_the_operator_is_told_the_same(name: str) -> None:
    objects, may = render(OVERLAYS / "production"), USERS[name]
    user = of_kind(objects, "User")[name]["spec"]
    assert user["importCredentialsSecret"] == {"name": f"{name}-broker"}
    permission = of_kind(objects, "Permission")[name]["spec"]
    assert permission["permissions"] == {
        "configure": may.configure,
        "write": may.write,
        "read": may.read,
    }
    topic = of_kind(objects, "TopicPermission")[name]["spec"]
    assert topic["permissions"] == {
        "exchange": MAIL_EXCHANGE,
        "write": may.publishes,
        "read": may.binds,
    }
    for one in (permission, topic):
        assert (one["vhost"], one["userReference"]) == ("/", {"name": name})
