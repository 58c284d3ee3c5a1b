-- The outbox is empty nearly always, and may hold a hundred thousand rows a moment later. A plan made for the empty
-- table reads all of it, each time; so these two go by the index whatever the statistics say.

-- The head of each shard: at most so many rows and bytes, in order of their ids, from above its floor.
CREATE FUNCTION outbox_heads(shards smallint[], floors bigint[], most_rows integer, most_bytes bigint, overhead integer)
RETURNS TABLE (shard smallint, ids bigint[], records bytea[], age float8)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT mine.shard, head.ids, head.records, head.age
    FROM unnest(shards, floors) AS mine (shard, floor)
    CROSS JOIN LATERAL (
        SELECT array_agg(waiting.id) AS ids, array_agg(waiting.record) AS records,
               extract(epoch FROM clock_timestamp() - min(waiting.created_at))::float8 AS age
        FROM (
            SELECT outbox.id, outbox.record, outbox.created_at,
                   sum(octet_length(outbox.record) + overhead) OVER (ORDER BY outbox.id ROWS UNBOUNDED PRECEDING) AS bytes
            FROM outbox WHERE outbox.shard = mine.shard AND outbox.id > mine.floor ORDER BY outbox.id LIMIT most_rows
        ) AS waiting
        WHERE waiting.bytes <= most_bytes
    ) AS head
    WHERE head.ids IS NOT NULL;
END
$$;

-- By exact ids, never by a range: a row with a lower id of another key may be committed after it was looked for. Nobody
-- waits for the disk: a delete that a crash takes back costs a late copy, which may come at any time anyhow.
CREATE FUNCTION outbox_acknowledged(of_shard smallint, these bigint[]) RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off
AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    DELETE FROM outbox WHERE shard = of_shard AND id = ANY (these);
END
$$;
