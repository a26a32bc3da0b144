"""All indexes of the timeline's database; each is declared beside the queries that need it."""

from services.timeline.admin import quarantine, reprocess_jobs, review_walks, stats
from services.timeline.admin.audit import blobs as audit
from services.timeline.admin.dead_letters import records as dead_letters
from services.timeline.query import (
    audit_log,
    bounces,
    changes,
    confirmations,
    erasures,
    hand_overs,
    hidden_profiles,
    hiding,
    inbox,
    mail_changes,
    mails,
    merges,
    people,
    read_state,
    search,
    setup,
    unread,
)
from services.timeline.write import erased_accounts, indexing, told_merges
from services.timeline.write import indexes as writing

INDEXES = (
    *writing.INDEXES,
    *indexing.INDEXES,
    *mails.INDEXES,
    *mail_changes.INDEXES,
    *search.INDEXES,
    *inbox.INDEXES,
    *unread.INDEXES,
    *people.INDEXES,
    *merges.INDEXES,
    *told_merges.INDEXES,
    *erased_accounts.INDEXES,
    *hiding.INDEXES,
    *hidden_profiles.INDEXES,
    *bounces.INDEXES,
    *changes.INDEXES,
    *confirmations.INDEXES,
    *setup.INDEXES,
    *read_state.INDEXES,
    *quarantine.INDEXES,
    *audit_log.INDEXES,
    *hand_overs.INDEXES,
    *reprocess_jobs.INDEXES,
    *review_walks.INDEXES,
    *erasures.INDEXES,
    *stats.INDEXES,
    *dead_letters.INDEXES,
    *audit.INDEXES,
)
