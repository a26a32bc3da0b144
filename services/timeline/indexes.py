"""All indexes of the timeline's database; each is declared beside the queries that need it."""

from services.timeline import (
    bounces,
    changes,
    confirmations,
    outcomes,
    people,
    quarantine,
    read_state,
    rows,
    threads,
)
from services.timeline.dead_letters import records as dead_letters

INDEXES = (
    *rows.INDEXES,
    *threads.INDEXES,
    *read_state.INDEXES,
    *bounces.INDEXES,
    *outcomes.INDEXES,
    *changes.INDEXES,
    *confirmations.INDEXES,
    *people.INDEXES,
    *quarantine.INDEXES,
    *dead_letters.INDEXES,
)
