-- Each shard's rows are in a table of their own. They are read, published and deleted together, so that a page of the
-- table is read once for all of its rows, not once for each shard that has one on it.
ALTER TABLE outbox RENAME TO outbox_before;
ALTER INDEX outbox_pkey RENAME TO outbox_before_pkey;

CREATE TABLE outbox (LIKE outbox_before INCLUDING ALL) PARTITION BY LIST (shard);

DO $$
BEGIN
    FOR shard IN 0..11 LOOP
        EXECUTE format('CREATE TABLE outbox_%s PARTITION OF outbox FOR VALUES IN (%s) '
                       'WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0)', shard, shard);
    END LOOP;
END
$$;

INSERT INTO outbox (id, shard, record, created_at) OVERRIDING SYSTEM VALUE
SELECT id, shard, record, created_at FROM outbox_before;

-- Ids go on where they were: floors, which were kept for the ids so far, stay true.
SELECT setval(pg_get_serial_sequence('outbox', 'id'), nextval(pg_get_serial_sequence('outbox_before', 'id')));

DROP TABLE outbox_before;
