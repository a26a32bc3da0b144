"""By what the number of replicas is decided, and what the broker and the database are given."""

from dev.generate import SETTINGS
from shared.contracts.topology import (
    DEAD,
    ERASURES,
    ERASURES_DONE,
    OUTCOMES_BACKFILL,
    QUEUES,
    RECEIVED_BACKFILL,
    REVIEWED,
    REVIEWS,
)
from tests.contract.test_manifest_pods import bytes_of
from tests.manifests import OVERLAYS, matches, of_kind, render

BROKER_SETTINGS = {
    "vm_memory_high_watermark.relative",
    "disk_free_limit.absolute",
    "raft.wal_max_size_bytes",
    "cluster_partition_handling",
    "queue_leader_locator",
    "quorum_queue.continuous_membership_reconciliation.enabled",
    "quorum_queue.continuous_membership_reconciliation.target_group_size",
}
"""What a RabbitMQ 4.0 was started with. One name that it does not know, and it does not start."""


def test_consumers_are_scaled_by_each_queue_of_live_work_and_by_nobody_else_besides() -> None:
    objects = render(OVERLAYS / "production")
    scaled = of_kind(objects, "ScaledObject")
    fronts = of_kind(objects, "HorizontalPodAutoscaler")
    assert scaled.keys() == {"matcher", "timeline"}
    assert fronts.keys() == {"ingest"}
    for name, one in (scaled | fronts).items():
        assert one["spec"]["scaleTargetRef"]["name"] == name
        assert "replicas" not in of_kind(objects, "Deployment")[name]["spec"]
    host = f"https://{next(iter(of_kind(objects, 'RabbitmqCluster')))}.satchel.svc:15671/"
    asked = set()
    for name, one in scaled.items():
        kinds = [trigger["type"] for trigger in one["spec"]["triggers"]]
        assert kinds.count("cpu") == 1, "it serves, too"
        for trigger in one["spec"]["triggers"]:
            if trigger["type"] == "rabbitmq":
                metadata = trigger["metadata"]
                assert metadata["protocol"] == "http"
                assert metadata["excludeUnacknowledged"] == "false"
                assert metadata["host"] == host
                assert metadata["queueName"].startswith(f"{name}.")
                assert trigger["authenticationRef"]["name"] in of_kind(
                    objects, "TriggerAuthentication"
                )
                asked.add(metadata["queueName"])
    # Dead letters are kept, not worked off; old mail and reviews wait on purpose.
    waiting = {DEAD, RECEIVED_BACKFILL, OUTCOMES_BACKFILL, REVIEWED, REVIEWS}
    waiting |= {ERASURES, ERASURES_DONE}
    live = {queue.name for queue in QUEUES if queue not in waiting}
    assert asked == live


def test_the_broker_is_three_nodes_whose_disks_hold_full_queues() -> None:
    (broker,) = of_kind(render(OVERLAYS / "production"), "RabbitmqCluster").values()
    spec = broker["spec"]
    assert spec["replicas"] == 3
    full = sum(int(queue.arguments["x-max-length-bytes"]) for queue in QUEUES)
    assert bytes_of(spec["persistence"]["storage"]) >= 2 * full + 10 * 10**9
    lines = spec["rabbitmq"]["additionalConfig"].splitlines()
    config = dict(line.split(" = ") for line in lines if not line.startswith("#"))
    assert config.keys() == BROKER_SETTINGS, "does RabbitMQ know it? Then it belongs there, too"
    assert config["disk_free_limit.absolute"] == "10GB"
    assert float(config["vm_memory_high_watermark.relative"]) <= 0.6
    resources = spec["resources"]
    assert resources["requests"]["memory"] == resources["limits"]["memory"]
    (anti,) = spec["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert matches(anti["labelSelector"], {"app.kubernetes.io/name": "broker"})


def test_each_service_may_use_its_own_database_alone() -> None:
    (database,) = of_kind(render(OVERLAYS / "production"), "MongoDBCommunity").values()
    assert database["spec"]["members"] == 3
    roles = {user["name"]: user["roles"] for user in database["spec"]["users"]}
    backup = roles.pop("backup")
    assert {one["name"] for one in backup} == {"read"}
    assert roles.keys() == {"matcher", "timeline"}
    for service, given in roles.items():
        own = SETTINGS[service].model_fields[f"{service}_database"].default
        assert given == [{"name": "readWrite", "db": own}]
