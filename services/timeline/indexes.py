"""All indexes of the timeline's database; each is declared beside the queries that need it."""

from services.timeline.admin import quarantine, stats
from services.timeline.admin.dead_letters import records as dead_letters
from services.timeline.query import bounces, changes, confirmations, read_state
from services.timeline.write import changes as kept_changes
from services.timeline.write import confirmations as kept_confirmations
from services.timeline.write import conversations, people, read_marks, rows

INDEXES = (
    *rows.INDEXES,
    *conversations.INDEXES,
    *read_marks.INDEXES,
    *kept_changes.INDEXES,
    *kept_confirmations.INDEXES,
    *people.INDEXES,
    *bounces.INDEXES,
    *changes.INDEXES,
    *confirmations.INDEXES,
    *read_state.INDEXES,
    *quarantine.INDEXES,
    *stats.INDEXES,
    *dead_letters.INDEXES,
)
