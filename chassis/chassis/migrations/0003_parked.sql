-- Parked records as a person looks at them: the heads, newest last, and all of one key.
CREATE INDEX parked_heads ON parked (id) WHERE reason <> 'behind';
CREATE INDEX parked_of_key ON parked (key, id);

-- What people decided about parked records. A record that was discarded is kept here, sealed: nothing is lost.
CREATE TABLE parked_decision (
    id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at            timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor         text        NOT NULL,
    role          text        NOT NULL,
    decision      text        NOT NULL CHECK (decision IN ('replayed', 'discarded')),
    why           text,
    parked_id     bigint      NOT NULL,
    consumer      text        NOT NULL,
    topic         text        NOT NULL,
    partition     integer     NOT NULL,
    record_offset bigint      NOT NULL,
    key           text        NOT NULL,
    event_id      uuid,
    cause         text        NOT NULL,
    tries         integer     NOT NULL,
    record        bytea
);
