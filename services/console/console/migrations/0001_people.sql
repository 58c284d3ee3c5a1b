-- What staff look at, made from the streams alone: it can be thrown away and read again.

-- One row for each person anybody has spoken of. `facts` is what is known; the other columns are what lists ask by.
CREATE TABLE patient (
    patient_id text        PRIMARY KEY,
    arrived_at timestamptz NOT NULL,
    stage      text        NOT NULL,
    coverage   text        NOT NULL,
    reference  text,
    name_words tsvector,
    facts      jsonb       NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX patient_by_arrival ON patient (arrived_at, patient_id);
CREATE INDEX patient_by_stage ON patient (stage, arrived_at, patient_id);
CREATE INDEX patient_by_coverage ON patient (coverage, arrived_at, patient_id);
CREATE INDEX patient_by_reference ON patient (reference);
CREATE INDEX patient_by_name ON patient USING gin (name_words);

-- What stands open for a person. It needs somebody of the clinic from `person_from` on.
CREATE TABLE task (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patient_id  text        NOT NULL,
    kind        text        NOT NULL,
    about       text        NOT NULL,
    rank        smallint    NOT NULL,
    owner       text        NOT NULL,
    since       timestamptz NOT NULL,
    person_from timestamptz NOT NULL,
    settled_at  timestamptz
);
CREATE UNIQUE INDEX task_once ON task (patient_id, kind, about) WHERE settled_at IS NULL;
CREATE INDEX task_open ON task (rank, since, id) WHERE settled_at IS NULL;
CREATE INDEX task_open_of_owner ON task (owner, rank, since, id) WHERE settled_at IS NULL;
CREATE INDEX task_of_patient ON task (patient_id, since);

-- Every event, in the words of its stream. `body` is sealed.
CREATE TABLE journal (
    event_id       uuid        PRIMARY KEY,
    subject        text        NOT NULL,
    at             timestamptz NOT NULL,
    type           text        NOT NULL,
    sequence       bigint      NOT NULL,
    correlation_id text        NOT NULL,
    causation_id   text,
    body           bytea       NOT NULL
);
CREATE INDEX journal_by_subject ON journal (subject, at, event_id);
