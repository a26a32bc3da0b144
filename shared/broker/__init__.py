"""RabbitMQ, for all services: publish with certainty, consume without loss.

Only this package imports aio-pika, and it does not hand out anything of it.

* `Publisher.publish` returns when the broker has confirmed the message and raises `PublishFailed`
  otherwise. Nothing but a Basic.Ack within the deadline is a success: unroutable, refused, timed
  out and cut off are failures. aio-pika reports an unroutable publish as success unless told
  otherwise, and raises CancelledError when the broker goes away; both are handled here.
* `Consumer` gives each delivery to a handler and turns its outcome into AMQP:
  `Done` acknowledges; `Reject` publishes the message with its reason to the dead-letter exchange,
  confirmed, and then acknowledges (an AMQP reject carries no reason); `Retry` keeps the delivery in
  flight and retries with a backoff, until the small prefetch is full and nothing more arrives. So
  an unavailable dependency uses up no delivery attempt, unless for longer than HOLD_SECONDS.
* Acknowledgements are sent together (`acknowledge.py`), never one for a delivery that is still
  handled. Publishes are written ahead, up to so many unconfirmed ones.
* Publishing and consuming use a connection each: a broker that is short of memory or disk stops
  reading from publishers, and acknowledgements must go on.
* `Backlog` knows how much waits.
* Lost connections come back by themselves, and everything is declared again then.
"""

from shared.broker.backlog import Backlog
from shared.broker.consume import Consumer, DeadLetterConsumer, Delivery, Handler
from shared.broker.dead import DeadLetter
from shared.broker.depths import Depth, depths
from shared.broker.publish import UNROUTABLE, EventTooLarge, Publisher, PublishFailed

__all__ = [
    "UNROUTABLE",
    "Backlog",
    "Consumer",
    "DeadLetter",
    "DeadLetterConsumer",
    "Delivery",
    "Depth",
    "EventTooLarge",
    "Handler",
    "PublishFailed",
    "Publisher",
    "depths",
]
