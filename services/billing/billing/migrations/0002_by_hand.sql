-- What people did by hand, and when. Names of fields only: what stood in them is in the coverage's own rows.
CREATE TABLE change_by_hand (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          timestamptz NOT NULL,
    actor       text        NOT NULL,
    role        text        NOT NULL,
    coverage_id text        NOT NULL REFERENCES coverage,
    what        text        NOT NULL CHECK (what IN ('asked_again', 'corrected')),
    fields      text[]      NOT NULL DEFAULT '{}'
);
CREATE INDEX change_of_coverage ON change_by_hand (coverage_id, id DESC);
