-- Who may be in danger, as far as scheduling was told. Stands until a clinician clears it.
CREATE TABLE patient_at_risk (
    patient_id text        PRIMARY KEY,
    flagged_at timestamptz NOT NULL
);

-- Appointments as they stand now. `version` counts the changes of one appointment from 1; times are clinic time.
CREATE TABLE appointment (
    id           text        PRIMARY KEY,
    patient_id   text        NOT NULL,
    intake_id    text,
    kind         text        NOT NULL,
    urgent       boolean     NOT NULL,
    version      integer     NOT NULL DEFAULT 1 CHECK (version > 0),
    starts_at    timestamptz NOT NULL,
    ends_at      timestamptz NOT NULL CHECK (ends_at > starts_at),
    clinician    text        NOT NULL,
    room         text        NOT NULL,
    booked_at    timestamptz NOT NULL,
    cancelled_at timestamptz,
    CHECK (kind <> 'assessment' OR intake_id IS NOT NULL)
);
CREATE UNIQUE INDEX one_assessment_for_each_intake ON appointment (intake_id)
    WHERE kind = 'assessment' AND cancelled_at IS NULL;
CREATE INDEX appointment_by_start ON appointment (starts_at, id) WHERE cancelled_at IS NULL;
CREATE INDEX appointment_by_patient ON appointment (patient_id, starts_at);

-- Which clinician or room an appointment holds, and when. No two unreleased holds of a resource overlap: that is the
-- promise against double booking, and nothing else is needed for it. The one-point range stands in for equality, for
-- which GiST would need an extension.
CREATE TABLE resource_hold (
    id             bigint    GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    appointment_id text      NOT NULL REFERENCES appointment,
    resource_no    bigint    NOT NULL,
    during         tstzrange NOT NULL CHECK (NOT isempty(during)),
    released_at    timestamptz,
    CONSTRAINT no_double_booking
        EXCLUDE USING gist (int8range(resource_no, resource_no, '[]') WITH &&, during WITH &&)
        WHERE (released_at IS NULL)
);
CREATE INDEX resource_hold_by_time ON resource_hold USING gist (during) WHERE released_at IS NULL;
CREATE INDEX resource_hold_of ON resource_hold (appointment_id) WHERE released_at IS NULL;

-- Before `first_day` nothing is free for this kind and urgency, so a search begins there and its cost does not grow
-- with what is booked. Good for one edition of the clinic file. Whoever books or frees a time locks the kind's rows,
-- so that bookings made at once queue up instead of colliding.
CREATE TABLE search_floor (
    kind      text    NOT NULL,
    urgent    boolean NOT NULL,
    first_day date    NOT NULL,
    clinic    text    NOT NULL,
    PRIMARY KEY (kind, urgent)
);

-- Intakes for whose assessment nothing was free within the horizon.
CREATE TABLE unplaced_assessment (
    intake_id  text        PRIMARY KEY,
    patient_id text        NOT NULL,
    urgent     boolean     NOT NULL,
    since      timestamptz NOT NULL
);
CREATE INDEX unplaced_assessment_by_patient ON unplaced_assessment (patient_id);
CREATE INDEX unplaced_assessment_by_age ON unplaced_assessment (since, intake_id);
