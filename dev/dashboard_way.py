"""The dashboard's upper half: what somebody wants to know who was woken, and the way of a mail.

The way goes from left to right, as a mail does. Where an alert watches the same, its limit is an
orange or red line.
"""

from dev.dashboard import Panel, Row
from dev.dashboard_asks import most, percentiles, rates, slowest

_LIVE = ', queue=~"matcher.received.v1|timeline.outcomes.v1"'

_ACCEPTED = Panel(
    "Accepted",
    {"": 'sum(rate(satchel_received_total{IN, answer="accepted"}[5m]))'},
    "reqps",
    number=True,
)
_NOT_ACCEPTED = Panel(
    "Told to try again",
    {
        "": 'sum(rate(satchel_received_total{IN, answer="not_accepted"}[5m]))'
        " / sum(rate(satchel_received_total{IN}[5m]))"
    },
    "percentunit",
    "451 and 503. Nothing is lost: senders keep their mail.",
    steps=[0.01, 0.1],
    number=True,
)
_IN_TIME = Panel(
    "Visible within 60 s, last hour",
    {"": "1 - satchel:visible_late:share1h{IN}"},
    "percentunit",
    "Promised are 99.9% in 30 days.",
    steps=[0.999, 0.9856],
    number=True,
    highest=1,
)
_UNTIL_VISIBLE = Panel(
    "Until visible, 99 of 100",
    {"": "histogram_quantile(0.99, sum by (le) (rate(satchel_visible_seconds_bucket{IN}[5m])))"},
    "s",
    steps=[10, 60],
    number=True,
)
_OLDEST = Panel(
    "Oldest live mail that waits",
    most("satchel_oldest_seconds", "queue", _LIVE),
    "s",
    "Where it sticks.",
    steps=[10, 60],
    number=True,
)
_DEAD = Panel(
    "Dead letters",
    {"": "sum(max by (reason) (satchel_dead_letters_waiting{IN}))"},
    says="They wait for a person.",
    steps=[1],
    number=True,
)
_FAILING = Panel(
    "Checks that fail everywhere",
    {"": "count(max by (job, check) (satchel_check{IN}) == 0) or vector(0)"},
    says="Which, and in how many pods: below, at the end.",
    steps=[1],
    number=True,
)
_ALERTS = Panel(
    "Alerts",
    most("ALERTS", "alertname"),
    says="Those that fire or are about to.",
    steps=[1],
    number=True,
)

FIRST = Row(
    "Is mail flowing, is anything lost, where does it stick?",
    [
        (3, [_ACCEPTED]),
        (3, [_NOT_ACCEPTED]),
        (3, [_IN_TIME]),
        (3, [_UNTIL_VISIBLE]),
        (4, [_OLDEST]),
        (2, [_DEAD]),
        (3, [_FAILING]),
        (3, [_ALERTS]),
    ],
    height=5,
)

_INGEST = [
    Panel("Mails offered, by answer", rates("satchel_received_total", "door, answer"), "reqps"),
    Panel(
        "SMTP refusals",
        rates("satchel_smtp_refused_total", "reason"),
        "reqps",
        "no_capture_address is the noise of the Internet; fault is a bug.",
    ),
    Panel("From the mail read to the confirm", percentiles("satchel_receive_seconds"), "s"),
    Panel(
        "Sessions, and megabytes in flight",
        {
            "sessions": "sum(satchel_smtp_sessions{IN})",
            "MB in flight": "sum(satchel_bytes_in_flight{IN}) / 1e6",
        },
    ),
]
_MATCHER = [
    Panel("Decisions", rates("satchel_decisions_total", "decision"), "reqps"),
    Panel("From a capture in flight to its decision", percentiles("satchel_decide_seconds"), "s"),
    Panel(
        "Finding out whom it is from",
        percentiles("satchel_authenticate_seconds"),
        "s",
        "Four seconds at most.",
    ),
    Panel(
        "Look-ups answered by the cache",
        {
            "share": 'sum(rate(satchel_directory_lookups_total{IN, from="cache"}[RATE]))'
            " / sum(rate(satchel_directory_lookups_total{IN}[RATE]))"
        },
        "percentunit",
        highest=1,
    ),
]
_TIMELINE = [
    Panel("Outcomes written", rates("satchel_projected_total", "outcome"), "reqps"),
    Panel(
        "From 250 to visible",
        percentiles("satchel_visible_seconds"),
        "s",
        "Live mail. What is not visible yet is not in it: see the age of the oldest.",
        steps=[60],
    ),
    Panel(
        "Later than 60 s",
        {
            "five minutes": "satchel:visible_late:share5m{IN}",
            "an hour": "satchel:visible_late:share1h{IN}",
            "a day": "satchel:visible_late:share1d{IN}",
        },
        "percentunit",
        "The lines: what uses up a month's 0.1% in a month, and in two days.",
        steps=[0.001, 0.0144],
    ),
    Panel(
        "Handling one delivery, 99 of 100",
        slowest("satchel_handle_seconds", "queue"),
        "s",
        "What it waits for is in it.",
    ),
]


def _queue(live: str, backfill: str) -> list[Panel]:
    """Return the panels of the queues before a service."""
    chosen = f', queue=~"{live}|{backfill}"'
    return [
        Panel(
            "How many wait",
            most("satchel_queue_messages", "queue", chosen),
            says="Those in flight are not counted. Old mail (backfill) waits on purpose.",
        ),
        Panel(
            "Age of the oldest",
            most("satchel_oldest_seconds", "queue", chosen),
            "s",
            "Since it was published. Nobody knows it while nobody consumes.",
            steps=[60],
        ),
        Panel(
            "Consumers",
            most("satchel_queue_consumers", "queue", chosen),
            says="None: everything waits.",
        ),
        Panel(
            "In flight, and held for what is away",
            {
                "{{queue}}": f"sum by (queue) (satchel_deliveries_in_flight{{IN{chosen}}})",
                "{{queue}} held": f"sum by (queue) (satchel_deliveries_waiting{{IN{chosen}}})",
            },
        ),
    ]


WAY = Row(
    "From left to right: ingest, queue, matcher, queue, timeline",
    [
        (5, _INGEST),
        (4, _queue("matcher.received.v1", "matcher.backfill.v1")),
        (5, _MATCHER),
        (4, _queue("timeline.outcomes.v1", "timeline.backfill.v1")),
        (6, _TIMELINE),
    ],
)
