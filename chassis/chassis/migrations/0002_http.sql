-- What was answered to a request that carried an Idempotency-Key. The row is claimed and filled in the operation's
-- own transaction, so that `status` and `answer` are there in every committed row. `answer` is sealed.
CREATE TABLE idempotent_answer (
    scope       text        NOT NULL,
    key         text        NOT NULL,
    actor       text        NOT NULL,
    fingerprint bytea       NOT NULL,
    status      smallint,
    answer      bytea,
    at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (scope, key, actor)
) WITH (fillfactor = 70);
CREATE INDEX idempotent_answer_by_age ON idempotent_answer (at);

-- Who looked at whom, by the machine's clock. Only ever added to.
CREATE TABLE access_log (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor      text        NOT NULL,
    role       text        NOT NULL,
    subjects   text[]      NOT NULL,
    what       text        NOT NULL,
    request_id text
);
CREATE INDEX access_log_by_subject ON access_log USING gin (subjects);
CREATE INDEX access_log_by_age ON access_log (at);
