-- Who asked for help, what they told, and what was read from their insurance cards.

CREATE TABLE patient (
    id            text        PRIMARY KEY,
    name          text        NOT NULL,
    phone         text,
    email         text,
    birth_date    date,
    registered_at timestamptz NOT NULL,
    CHECK (phone IS NOT NULL OR email IS NOT NULL)
);

-- One form that was sent. It waits until an assessment is booked for the patient.
CREATE TABLE intake (
    id                   text        PRIMARY KEY,
    patient_id           text        NOT NULL REFERENCES patient,
    reference            text        NOT NULL UNIQUE,
    receipt              text        NOT NULL UNIQUE, -- opens the confirmation page, which names nobody
    submitted_at         timestamptz NOT NULL,
    in_danger            boolean,                     -- null where the question was left open
    urgent               boolean     NOT NULL GENERATED ALWAYS AS (coalesce(in_danger, false)) STORED,
    reason               text,
    treatment            text,
    insured              text,
    payer                text,
    member_id            text,
    assessment_booked_at timestamptz
);
CREATE INDEX intake_by_patient ON intake (patient_id);
CREATE INDEX intake_waiting ON intake ((NOT urgent), submitted_at, id) WHERE assessment_booked_at IS NULL;
CREATE INDEX intake_newest ON intake (submitted_at, id);

-- Agreements, in the words that were shown. Only ever added to.
CREATE TABLE consent (
    id              bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patient_id      text        NOT NULL REFERENCES patient,
    kind            text        NOT NULL,
    wording         text        NOT NULL,
    wording_version text        NOT NULL,
    given_at        timestamptz NOT NULL
);
CREATE INDEX consent_by_patient ON consent (patient_id);

-- A sealed image in the store. Its own key is wrapped by a key that is not in this database.
CREATE TABLE card_image (
    intake_id   text        NOT NULL REFERENCES intake,
    side        text        NOT NULL CHECK (side IN ('front', 'back')),
    object      text        NOT NULL UNIQUE,
    size        bigint      NOT NULL,
    key_id      text        NOT NULL,
    wrapped_key bytea       NOT NULL,
    stored_at   timestamptz NOT NULL,
    PRIMARY KEY (intake_id, side)
);
CREATE INDEX card_image_by_key ON card_image (key_id, object);

-- What was read from a card, beside what was typed; neither replaces the other.
CREATE TABLE card_reading (
    intake_id    text             PRIMARY KEY REFERENCES intake,
    outcome      text             NOT NULL,
    fields       jsonb            NOT NULL,
    contradicted text[]           NOT NULL,
    seconds      double precision,
    read_at      timestamptz      NOT NULL
);

-- The coverage that was said to billing: one for an intake.
CREATE TABLE coverage (
    id           text             PRIMARY KEY,
    intake_id    text             NOT NULL UNIQUE REFERENCES intake,
    payer        text             NOT NULL,
    member_id    text             NOT NULL,
    group_number text,
    holder       text,
    source       text             NOT NULL,
    confidence   double precision,
    contradicted text[]           NOT NULL,
    reported_at  timestamptz      NOT NULL
);
