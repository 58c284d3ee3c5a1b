-- What is known of the people whom the clinic writes to. Filled from several streams in any order: what has not come
-- yet is NULL. Times are clinic time.
CREATE TABLE person (
    patient_id         text        PRIMARY KEY,
    name               text,
    phone              text,
    email              text,
    texts_consented_at timestamptz,
    texts_stopped_at   timestamptz,
    in_danger          boolean     NOT NULL DEFAULT false,
    intake_id          text,
    submitted_at       timestamptz,
    insured            text,
    card_received      boolean     NOT NULL DEFAULT false,
    coverage_typed     boolean     NOT NULL DEFAULT false,
    card_outcome       text,
    card_complete      boolean     NOT NULL DEFAULT false,
    card_read_at       timestamptz
);
CREATE INDEX person_by_phone ON person (phone) WHERE phone IS NOT NULL;

CREATE TABLE appointment (
    id         text        PRIMARY KEY,
    patient_id text        NOT NULL,
    version    integer     NOT NULL,
    kind       text        NOT NULL,
    moved      boolean     NOT NULL,
    starts_at  timestamptz NOT NULL,
    ends_at    timestamptz NOT NULL,
    time_zone  text        NOT NULL,
    clinician  text        NOT NULL,
    place      text        NOT NULL
);
CREATE INDEX appointment_by_patient ON appointment (patient_id, starts_at);

-- `revision` counts what is news to the patient: a change of status, or of who has to act.
CREATE TABLE coverage (
    id           text    PRIMARY KEY,
    patient_id   text    NOT NULL,
    revision     integer NOT NULL DEFAULT 0,
    status       text,
    owner        text,
    payer        text,
    service_date date,
    plan         text,
    ended_on     date,
    asking_again boolean NOT NULL DEFAULT false,
    benefits     jsonb   NOT NULL DEFAULT '[]'
);
CREATE INDEX coverage_by_patient ON coverage (patient_id, id);

-- One row for each decision to tell somebody something by one channel. `said` is the text as it was sent, `reference`
-- what the mail server or carrier knows it by.
CREATE TABLE message (
    id           text        PRIMARY KEY,
    patient_id   text        NOT NULL,
    purpose      text        NOT NULL,
    channel      text        NOT NULL,
    template     text        NOT NULL,
    about        text,
    fate         text        NOT NULL,
    round        integer     NOT NULL DEFAULT 0,
    cause        text,
    reference    text,
    said         text,
    decided_at   timestamptz NOT NULL,
    fated_at     timestamptz NOT NULL,
    made_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (purpose, channel)
);
CREATE INDEX message_by_patient ON message (patient_id, id);
CREATE INDEX message_by_fate ON message (fate, id);
CREATE UNIQUE INDEX message_by_reference ON message (reference);

-- What people texted, told apart by the carrier's id. The words themselves go to staff in the event, not here.
CREATE TABLE reply (
    sid         text        PRIMARY KEY,
    meaning     text        NOT NULL,
    received_at timestamptz NOT NULL
);
