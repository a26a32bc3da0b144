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
    "Deferred",
    {
        "": 'sum(rate(satchel_received_total{IN, answer="not_accepted"}[5m]))'
        " / sum(rate(satchel_received_total{IN}[5m]))"
    },
    "percentunit",
    "Share of mail answered with 451 or 503. Nothing is lost: senders keep it and retry.",
    steps=[0.01, 0.1],
    number=True,
)
_IN_TIME = Panel(
    "Visible within 60 s, last hour",
    {"": "1 - satchel:visible_late:share1h{IN}"},
    "percentunit",
    "The objective is 99.9% over 30 days.",
    steps=[0.999, 0.9856],
    number=True,
    highest=1,
)
_UNTIL_VISIBLE = Panel(
    "Time to visible, p99",
    {"": "histogram_quantile(0.99, sum by (le) (rate(satchel_visible_seconds_bucket{IN}[5m])))"},
    "s",
    steps=[10, 60],
    number=True,
)
_OLDEST = Panel(
    "Lag of live mail",
    most("satchel_oldest_seconds", "queue", _LIVE),
    "s",
    "Age of the oldest live mail in each queue.",
    steps=[10, 60],
    number=True,
)
_DEAD = Panel(
    "Dead letters",
    {"": "sum(max by (reason) (satchel_dead_letters_waiting{IN}))"},
    says="Dead letters that wait for an operator.",
    steps=[1],
    number=True,
)
_FAILING = Panel(
    "Checks failing in every pod",
    {"": "count(max by (job, check) (satchel_check{IN}) == 0) or vector(0)"},
    says="The last row shows which check fails, and in how many pods.",
    steps=[1],
    number=True,
)
_ALERTS = Panel(
    "Alerts",
    most("ALERTS", "alertname"),
    says="Firing and pending alerts.",
    steps=[1],
    number=True,
)

FIRST = Row(
    "Is mail flowing? Is any lost? Where is it stuck?",
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
    Panel("Mails received, by answer", rates("satchel_received_total", "door, answer"), "reqps"),
    Panel(
        "SMTP refusals",
        rates("satchel_smtp_refused_total", "reason"),
        "reqps",
        "no_capture_address is spam and typing errors; fault is a bug.",
    ),
    Panel("Time to the broker's confirm", percentiles("satchel_receive_seconds"), "s"),
    Panel(
        "SMTP sessions and megabytes in flight",
        {
            "sessions": "sum(satchel_smtp_sessions{IN})",
            "MB in flight": "sum(satchel_bytes_in_flight{IN}) / 1e6",
        },
    ),
]
_MATCHER = [
    Panel("Decisions", rates("satchel_decisions_total", "decision"), "reqps"),
    Panel("Time to the decision", percentiles("satchel_decide_seconds"), "s"),
    Panel(
        "Time to authenticate",
        percentiles("satchel_authenticate_seconds"),
        "s",
        "Limited by AUTHENTICATION_SECONDS, four seconds by default.",
    ),
    Panel(
        "Directory cache hit rate",
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
        "Time from 250 to visible",
        percentiles("satchel_visible_seconds"),
        "s",
        "Live mail only. Mail that is not visible yet is not counted: see the lag of each queue.",
        steps=[60],
    ),
    Panel(
        "Share of mail later than 60 s",
        {
            "five minutes": "satchel:visible_late:share5m{IN}",
            "an hour": "satchel:visible_late:share1h{IN}",
            "a day": "satchel:visible_late:share1d{IN}",
        },
        "percentunit",
        "The lines are the shares that use up the error budget (0.1% over 30 days) in "
        "30 days and in two days.",
        steps=[0.001, 0.0144],
    ),
    Panel(
        "Time to handle a delivery, p99",
        slowest("satchel_handle_seconds", "queue"),
        "s",
        "Includes waits for an unavailable dependency.",
    ),
]


def _queue(live: str, backfill: str) -> list[Panel]:
    """Return the panels of the queues before a service."""
    chosen = f', queue=~"{live}|{backfill}"'
    return [
        Panel(
            "Backlog",
            most("satchel_queue_messages", "queue", chosen),
            says="Messages waiting, without those in flight. Backfill waits on purpose.",
        ),
        Panel(
            "Lag",
            most("satchel_oldest_seconds", "queue", chosen),
            "s",
            "Age of the oldest message since it was published. Unknown while the queue has "
            "no consumer.",
            steps=[60],
        ),
        Panel(
            "Consumers",
            most("satchel_queue_consumers", "queue", chosen),
            says="Without a consumer everything waits.",
        ),
        Panel(
            "In flight, and waiting for a dependency",
            {
                "{{queue}}": f"sum by (queue) (satchel_deliveries_in_flight{{IN{chosen}}})",
                "{{queue}} held": f"sum by (queue) (satchel_deliveries_waiting{{IN{chosen}}})",
            },
        ),
    ]


WAY = Row(
    "A mail's way, from left to right: ingest, queue, matcher, queue, timeline",
    [
        (5, _INGEST),
        (4, _queue("matcher.received.v1", "matcher.backfill.v1")),
        (5, _MATCHER),
        (4, _queue("timeline.outcomes.v1", "timeline.backfill.v1")),
        (6, _TIMELINE),
    ],
)
