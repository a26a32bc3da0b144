"""All indexes of the matcher's database; each is declared beside the queries that need it."""

from services.matcher import decisions
from services.matcher.directory import capture_addresses, groups, windows
from services.matcher.directory import people as directory
from services.matcher.erasures import accounts
from services.matcher.erasures import records as erasure_records
from services.matcher.rematch import sealed
from services.matcher.reviews import records as review_records
from services.matcher.round_trip import records

INDEXES = (
    *directory.INDEXES,
    *groups.INDEXES,
    *capture_addresses.INDEXES,
    *decisions.INDEXES,
    *erasure_records.INDEXES,
    *accounts.INDEXES,
    *records.INDEXES,
    *windows.INDEXES,
    *review_records.INDEXES,
    *sealed.INDEXES,
)
