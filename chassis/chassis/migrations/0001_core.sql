-- The event core's tables, one set in each service's own schema.

-- How many events of this stream have been said about a subject. Locked by every writer before its outbox rows
-- take their ids, so that id order is commit order for each key.
CREATE TABLE stream_head (
    subject  text   PRIMARY KEY,
    sequence bigint NOT NULL
) WITH (fillfactor = 70);

-- Events decided and not yet acknowledged by the broker. `record` is encoded as Kafka wants it, from its key on.
CREATE TABLE outbox (
    id         bigint      GENERATED ALWAYS AS IDENTITY,
    shard      smallint    NOT NULL,
    record     bytea       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (shard, id)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

-- Who publishes a shard. `token` grows with each change of hands; times are the database's.
CREATE TABLE relay_lease (
    shard      smallint    PRIMARY KEY,
    holder     uuid,
    token      bigint      NOT NULL DEFAULT 0,
    expires_at timestamptz NOT NULL DEFAULT '-infinity'
);

-- Relays alive, so that each can tell its fair share of the shards.
CREATE TABLE relay_member (
    holder     uuid        PRIMARY KEY,
    expires_at timestamptz NOT NULL
);

-- Events that have had their effect here.
CREATE TABLE inbox (
    consumer   text        NOT NULL,
    event_id   uuid        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (consumer, event_id)
);
CREATE INDEX inbox_by_age ON inbox (applied_at);

-- Records that could not be applied, each with every later record of its consumer, topic and key.
-- Only the head of a key has a `due_at`; `given_up_at` marks a head that waits for a person.
CREATE TABLE parked (
    id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    consumer     text        NOT NULL,
    topic        text        NOT NULL,
    partition    integer     NOT NULL,
    record_offset bigint     NOT NULL,
    key          text        NOT NULL,
    event_id     uuid,
    record       bytea       NOT NULL,
    reason       text        NOT NULL,
    cause        text        NOT NULL,
    tries        integer     NOT NULL DEFAULT 0,
    parked_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    due_at       timestamptz,
    given_up_at  timestamptz,
    UNIQUE (consumer, topic, partition, record_offset)
);
CREATE INDEX parked_by_key ON parked (consumer, topic, key, id);
CREATE INDEX parked_due ON parked (due_at) WHERE due_at IS NOT NULL;

-- Things to do at a clinic time.
CREATE TABLE timer (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text        NOT NULL,
    key         text        NOT NULL,
    due_at      timestamptz NOT NULL,
    payload     jsonb       NOT NULL,
    cause       bytea,
    correlation_id text,
    tries       integer     NOT NULL DEFAULT 0,
    retry_at    timestamptz,
    error       text,
    given_up_at timestamptz,
    UNIQUE (name, key)
);
CREATE INDEX timer_due ON timer (due_at) WHERE given_up_at IS NULL;

-- Decisions to act on the outside world: one for each purpose. `due_at` is when it may be tried, or, while an
-- attempt is under way, when that attempt counts as abandoned.
CREATE TABLE outside_task (
    id          uuid        PRIMARY KEY,
    destination text        NOT NULL,
    purpose     text        NOT NULL,
    subject     text,
    payload     jsonb       NOT NULL,
    cause       bytea,
    correlation_id text,
    attempt     integer     NOT NULL DEFAULT 0,
    tries       integer     NOT NULL DEFAULT 0,
    due_at      timestamptz NOT NULL,
    error       text,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at    timestamptz,
    outcome     text,
    purged_at   timestamptz,
    UNIQUE (destination, purpose)
);
CREATE INDEX outside_task_ended ON outside_task (ended_at) WHERE purged_at IS NULL;
CREATE INDEX outside_task_due ON outside_task (destination, due_at) WHERE ended_at IS NULL;

INSERT INTO relay_lease (shard) SELECT generate_series(0, 11);
