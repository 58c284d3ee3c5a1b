-- Programs that ask about somebody's insurance, who is no patient here. The secret is sealed.
CREATE TABLE inquiry (
    verification_id text        PRIMARY KEY REFERENCES verification,
    actor           text        NOT NULL,
    webhook_url     text,
    webhook_secret  bytea,
    asked_at        timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Programs that read what is known: the latest verification of each coverage, in the order in which they changed.
ALTER TABLE verification ADD COLUMN latest boolean NOT NULL DEFAULT true;
ALTER TABLE verification ADD COLUMN changed_at timestamptz NOT NULL DEFAULT clock_timestamp();
UPDATE verification AS earlier SET latest = false WHERE EXISTS (
    SELECT FROM verification AS later WHERE later.coverage_id = earlier.coverage_id
    AND (later.requested_at, later.verification_id) > (earlier.requested_at, earlier.verification_id)
);
CREATE INDEX verification_changed ON verification (changed_at, verification_id) WHERE latest;
CREATE INDEX verification_changed_of_payer ON verification (payer_id, changed_at, verification_id) WHERE latest;
CREATE INDEX verification_changed_of_outcome ON verification (outcome, changed_at, verification_id) WHERE latest;
CREATE INDEX verification_changed_of_state ON verification (state, changed_at, verification_id) WHERE latest;

-- Questions that an engine outside of the clinic takes, asks, and answers. A lease ends by the machine's clock.
ALTER TABLE question ADD COLUMN engine_payer text;
ALTER TABLE question ADD COLUMN leased_until timestamptz;
CREATE INDEX question_for_engine ON question (engine_payer, decided_at) WHERE engine_payer IS NOT NULL AND ended_at IS NULL;
CREATE TABLE engine_lease (
    lease_id   uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    trace      text        NOT NULL REFERENCES question,
    actor      text        NOT NULL,
    leased_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    until      timestamptz NOT NULL,
    ended_at   timestamptz,
    fate       text        CHECK (fate IN ('taken', 'late', 'released')),
    digest     bytea,
    answer     bytea       -- kept here where it came too late to count
);
CREATE INDEX engine_lease_of_question ON engine_lease (trace, until);
