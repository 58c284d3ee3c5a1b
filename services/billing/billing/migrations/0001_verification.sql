-- What is needed to ask a payer: the person, the card, the next visit.
CREATE TABLE patient (
    patient_id text PRIMARY KEY,
    name       text,
    birth_date date
);

CREATE TABLE visit (
    appointment_id text PRIMARY KEY,
    patient_id     text NOT NULL,
    version        integer NOT NULL,
    starts_at      timestamptz NOT NULL
);
CREATE INDEX visit_of_patient ON visit (patient_id, starts_at);

CREATE TABLE coverage (
    coverage_id      text PRIMARY KEY,
    patient_id       text NOT NULL,
    payer_stated     text NOT NULL,
    payer_id         text,              -- null while it is not clear which payer is meant
    payer_confidence real NOT NULL,
    member_id        text NOT NULL,
    group_number     text,
    holder           text,
    source           text NOT NULL,
    confidence       real,              -- of the member number as read; null where typed
    reported_at      timestamptz NOT NULL
);
CREATE INDEX coverage_of_patient ON coverage (patient_id, reported_at DESC);

-- One verification is one conclusion about one coverage on one day, however often the payer has to be asked.
CREATE TABLE verification (
    verification_id text PRIMARY KEY,
    coverage_id     text NOT NULL REFERENCES coverage,
    patient_id      text NOT NULL,
    payer_id        text,
    payer           text NOT NULL,
    service_date    date NOT NULL,
    service_types   text[] NOT NULL,
    reason          text NOT NULL,
    state           text NOT NULL CHECK (state IN ('asking', 'waiting', 'with_person', 'concluded', 'superseded')),
    outcome         text CHECK (outcome IN ('active', 'inactive', 'undetermined')),
    cause_code      text,
    cause           text,
    owner           text CHECK (owner IN ('patient', 'staff', 'payer')),
    to_do           text,               -- what a person is asked to do; set once they were told
    questions       integer NOT NULL DEFAULT 0,
    unanswered      integer NOT NULL DEFAULT 0,  -- questions in a row that have to be asked again
    asking_again_at timestamptz,
    plan            text,
    plan_begins     date,
    plan_ends       date,
    benefits        jsonb NOT NULL DEFAULT '[]',
    requested_at    timestamptz NOT NULL,
    answered_at     timestamptz,
    concluded_at    timestamptz
);
CREATE INDEX verification_of_coverage ON verification (coverage_id, requested_at DESC);
CREATE INDEX verification_of_patient ON verification (patient_id, requested_at DESC);
CREATE INDEX verification_open ON verification (state, requested_at) WHERE state IN ('asking', 'waiting', 'with_person');

-- The evidence: what was sent and what came back, byte for byte.
CREATE TABLE question (
    trace           text PRIMARY KEY,
    verification_id text NOT NULL REFERENCES verification,
    number          integer NOT NULL,
    control_number  bigint NOT NULL,
    decided_at      timestamptz NOT NULL,
    asked_at        timestamptz,
    ended_at        timestamptz,
    sent            bytea,
    answer          bytea,
    result          text,               -- an outcome, or the cause of there being none
    UNIQUE (verification_id, number)
);

CREATE SEQUENCE interchange_control_number MINVALUE 1 MAXVALUE 999999999 CYCLE;
