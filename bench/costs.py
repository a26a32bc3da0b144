"""What a page costs the database: the documents and keys that it examines, from the profiler."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shared.storage.database import Database, Document

_PROFILE_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Cost:
    """Sums over all operations of one request."""

    operations: int
    """Entries of the profiler that read: a find, an aggregate or a getMore is a request each."""
    documents: int
    """That were examined."""
    keys: int
    """That were examined."""
    plans: tuple[str, ...]
    """Of each operation, where it says so: the collection, and how it was looked through."""
    sorts: tuple[str, ...]
    """The operations that sorted in memory."""

    @property
    def scans(self) -> tuple[str, ...]:
        """The operations that looked through a whole collection."""
        return tuple(plan for plan in self.plans if "COLLSCAN" in plan)


async def cost_of(database: Database, request: Callable[[], Awaitable[object]]) -> Cost:
    """Send a request and return what it cost; nothing else may use the database meanwhile.

    What follows the changes all the time (`services/timeline/query/live.py`) is left out.
    """
    await database.command("profile", 0)
    await database.drop_collection("system.profile")
    await database.create_collection("system.profile", capped=True, size=_PROFILE_BYTES)
    await database.command("profile", 2)
    try:
        await request()
    finally:
        await database.command("profile", 0)
    left_out = [f"{database.name}.system.profile", f"{database.name}.changes"]
    found = await database["system.profile"].find({"ns": {"$nin": left_out}}).to_list()
    reads = [operation for operation in found if operation["op"] != "command" or _counts(operation)]
    return Cost(
        operations=len(reads),
        documents=sum(operation.get("docsExamined", 0) for operation in reads),
        keys=sum(operation.get("keysExamined", 0) for operation in reads),
        plans=tuple(_plan(operation) for operation in reads if "planSummary" in operation),
        sorts=tuple(_plan(operation) for operation in reads if operation.get("hasSortStage")),
    )


def _counts(operation: Document) -> bool:
    return "docsExamined" in operation or "keysExamined" in operation


def _plan(operation: Document) -> str:
    collection = operation["ns"].partition(".")[2]
    return f"{collection}: {operation['planSummary']}"
