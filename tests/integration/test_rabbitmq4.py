"""On RabbitMQ 4 (`make test-rabbitmq4`): nothing that it calls deprecated is permitted.

All other tests of that run therefore show that nothing of it is used.
"""

import aio_pika
import pytest
from aio_pika.exceptions import AMQPError

from dev import rabbitmq4
from dev.rabbitmq import PrivateRabbitMQ

pytestmark = pytest.mark.skipif(
    rabbitmq4.root_in_use() is None, reason="about RabbitMQ 4: make test-rabbitmq4"
)


def test_it_is_rabbitmq_4(private_broker: PrivateRabbitMQ) -> None:
    assert private_broker.ctl("version").startswith("4.")


def test_every_deprecated_feature_is_forbidden(private_broker: PrivateRabbitMQ) -> None:
    known = private_broker.ctl("list_deprecated_features", "name").split()
    assert "transient_nonexcl_queues" in known
    assert set(known) <= {*rabbitmq4.FORBIDDEN}


async def test_what_is_forbidden_is_refused(private_broker: PrivateRabbitMQ) -> None:
    async with await aio_pika.connect(private_broker.url) as connection:
        channel = await connection.channel()
        with pytest.raises(AMQPError, match="transient_nonexcl_queues"):
            await channel.declare_queue("passing", durable=False, exclusive=False)
