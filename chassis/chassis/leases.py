"""Who publishes which shard: leases by the database's clock, shared out fairly among the relays alive."""

from __future__ import annotations

import math
import time
from uuid import UUID

from uuid_utils import uuid4

from chassis.database import Database
from chassis.floors import Floors
from chassis.outbox import SHARDS
from chassis.points import reached

_SIGN_ON = """
INSERT INTO relay_member (holder, expires_at) VALUES ($1, clock_timestamp() + make_interval(secs => $2))
ON CONFLICT (holder) DO UPDATE SET expires_at = excluded.expires_at
"""

_FORGET_THE_DEAD = """
DELETE FROM relay_member WHERE holder IN (
    SELECT holder FROM relay_member WHERE expires_at < clock_timestamp() FOR UPDATE SKIP LOCKED
)
"""

_RENEW = """
UPDATE relay_lease
SET expires_at = clock_timestamp() + make_interval(secs => $2), floor = greatest(relay_lease.floor, known.floor)
FROM unnest($3::smallint[], $4::bigint[]) AS known (shard, floor)
WHERE relay_lease.shard = known.shard AND holder = $1 AND expires_at > clock_timestamp()
RETURNING relay_lease.shard, relay_lease.floor
"""

_TAKE = """
UPDATE relay_lease SET holder = $1, token = token + 1, expires_at = clock_timestamp() + make_interval(secs => $2)
WHERE shard IN (
    SELECT shard FROM relay_lease WHERE expires_at <= clock_timestamp() ORDER BY shard LIMIT $3 FOR UPDATE SKIP LOCKED
)
RETURNING shard, floor
"""

_GIVE_BACK = "UPDATE relay_lease SET expires_at = '-infinity' WHERE holder = $1 AND shard = ANY($2)"


class Leases:
    """The shards that this process may publish. Renew every third of the term; stop publishing at `in_doubt`.

    Kafka cannot check the fencing token, so a holder that has not renewed by half its term must close its producer:
    whoever follows may start at the term's end.
    """

    def __init__(self, database: Database, term_seconds: float) -> None:
        self._database = database
        self._term = term_seconds
        self._holder = UUID(str(uuid4()))
        self._renewed_at = -math.inf
        self.shards: frozenset[int] = frozenset()

    @property
    def in_doubt(self) -> bool:
        """Whether half the term has passed since the last renewal began."""
        return time.monotonic() - self._renewed_at > self._term / 2

    @property
    def renewal_interval(self) -> float:
        return self._term / 3

    async def renew(self, floors: Floors) -> frozenset[int]:
        """Sign on, renew what is held, and take what is free up to a fair share. Floors are kept with the leases.

        Returns the shards to publish. What is held beyond a fair share is left out: the caller finishes its round,
        then calls `give_back`.
        """
        reached("before_renewal")
        began = time.monotonic()
        async with self._database.connection() as connection, connection.transaction():
            await connection.execute(_SIGN_ON, self._holder, self._term)
            await connection.execute(_FORGET_THE_DEAD)
            members: int = await connection.fetchval("SELECT count(*) FROM relay_member") or 1
            share = math.ceil(SHARDS / members)
            known = [floors.of(shard) for shard in range(SHARDS)]
            held = await connection.fetch(_RENEW, self._holder, self._term, range(SHARDS), known)
            if len(held) < share:
                held += await connection.fetch(_TAKE, self._holder, self._term, share - len(held))
        self._renewed_at = began
        floors.learn({row["shard"]: row["floor"] for row in held})
        self.shards = frozenset(sorted(row["shard"] for row in held)[:share])
        reached("after_renewal")
        return self.shards

    async def give_back(self) -> None:
        """Free what is held beyond `shards`, once nothing of it is being published any more."""
        freed = [shard for shard in range(SHARDS) if shard not in self.shards]
        async with self._database.connection() as connection:
            await connection.execute(_GIVE_BACK, self._holder, freed)

    async def resign(self) -> None:
        """Free everything at once, so that nobody has to wait for a term to end."""
        self.shards = frozenset()
        await self.give_back()
        async with self._database.connection() as connection:
            await connection.execute("DELETE FROM relay_member WHERE holder = $1", self._holder)
