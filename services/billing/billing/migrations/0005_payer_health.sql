-- How each payer does, as every replica sees it. Written when that changes, never for each question.
CREATE TABLE payer_health (
    payer_id        text        PRIMARY KEY,
    condition       text        NOT NULL CHECK (condition IN ('answering', 'down', 'rate_limited')),
    since           timestamptz NOT NULL,
    trying_again_at timestamptz,                    -- while down: when the next question is let through
    median_seconds  real,                           -- of the last answers that one process got
    slowest_seconds real,
    answers         integer     NOT NULL DEFAULT 0, -- how many those are
    noted_at        timestamptz NOT NULL
);

-- What the worklist is read by: what needs a person by who acts next, what waits, and what was concluded last.
CREATE INDEX verification_needs_person ON verification (owner, requested_at, verification_id) INCLUDE (payer_id)
    WHERE state = 'with_person' OR (state = 'waiting' AND to_do IS NOT NULL);
CREATE INDEX verification_waits ON verification (asking_again_at, verification_id) INCLUDE (payer_id)
    WHERE state = 'waiting' AND to_do IS NULL;
CREATE INDEX verification_concluded ON verification (concluded_at, verification_id) INCLUDE (outcome)
    WHERE state = 'concluded';
CREATE INDEX verification_concluded_of_payer ON verification (payer_id, concluded_at, verification_id)
    WHERE state = 'concluded';
