"""Floors: below its floor a shard has no row, and none can appear there any more.

Reading from a floor spares the relay the entries of deleted rows, which stay in the index for as long as any old
transaction anywhere in the database is open.

A row may appear below one that was seen already: its transaction took the id earlier and commits later. Whoever may
do that holds the lock that an insert takes on the outbox. So a floor rises to an id in three steps: the id is seen;
every transaction that held the lock then has ended; the shard is read once more from the old floor, and nothing up to
the id is there.

They are kept in the database with the leases, for whoever leads a shard next. A crash of the database may take back the
latest deletes, which are committed without waiting for the disk; it takes back the floors kept after them too. So
whoever has lost a connection forgets the floors it found and begins with those that were kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import asyncpg

INTERVAL_SECONDS = 0.05

_WRITERS = """
SELECT virtualtransaction FROM pg_locks
WHERE locktype = 'relation' AND relation = 'outbox'::regclass AND mode = 'RowExclusiveLock'
"""


class Floors:
    """One for each shard. A floor that was kept holds for ever, whoever publishes the shard in between."""

    def __init__(self) -> None:
        self._floors: dict[int, int] = {}
        self._highest: dict[int, int] = {}
        self._rising: dict[int, int] = {}
        self._writers: set[str] = set()
        self.proven: Mapping[int, int] = {}
        """Ids below which nothing can appear any more, for the shards where such are known. Note it before reading."""

    def of(self, shard: int) -> int:
        """Read the rows with ids above this."""
        return self._floors.get(shard, 0)

    def learn(self, kept: Mapping[int, int]) -> None:
        """Take over floors that the database has kept."""
        for shard, floor in kept.items():
            self._floors[shard] = max(self.of(shard), floor)

    def read(self, shards: Iterable[int], ids: Mapping[int, list[int]], proven: Mapping[int, int]) -> None:
        """Take note of a reading of `shards` from their floors, begun when `proven` was as given."""
        for shard in shards:
            found = ids.get(shard)
            if shard in proven and (not found or found[0] > proven[shard]):
                self._floors[shard] = max(self.of(shard), proven[shard])
            if found:
                self._highest[shard] = found[-1]

    async def watch(self, connection: asyncpg.Connection) -> None:
        """See which writers have ended. Call it again and again."""
        if not (self._highest or self._rising):
            return
        writers = {row["virtualtransaction"] for row in await connection.fetch(_WRITERS)}
        if self._rising:
            self._writers &= writers
        else:
            self._rising, self._writers, self._highest = self._highest, writers, {}
        if not self._writers:
            risen = {shard: max(id, self.proven.get(shard, 0)) for shard, id in self._rising.items()}
            self.proven, self._rising = {**self.proven, **risen}, {}
