"""All indexes of the timeline's database; each is declared beside the queries that need it."""

from services.timeline.admin.dead_letters import records as dead_letters
from services.timeline.write import (
    bounces,
    changes,
    confirmations,
    conversations,
    outcomes,
    people,
    quarantine,
    read_state,
    rows,
)

INDEXES = (
    *rows.INDEXES,
    *conversations.INDEXES,
    *read_state.INDEXES,
    *bounces.INDEXES,
    *outcomes.INDEXES,
    *changes.INDEXES,
    *confirmations.INDEXES,
    *people.INDEXES,
    *quarantine.INDEXES,
    *dead_letters.INDEXES,
)
