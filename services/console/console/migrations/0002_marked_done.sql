-- What people of the clinic marked as done here. No stream says it: this table is kept when the others are made anew.
CREATE TABLE marked_done (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patient_id text        NOT NULL,
    kind       text        NOT NULL,
    things     text[]      NOT NULL,
    marked_by  text        NOT NULL,
    at         timestamptz NOT NULL
);
CREATE INDEX marked_done_of_patient ON marked_done (patient_id, id);

ALTER TABLE task ADD COLUMN done_by text;

-- For lists that choose both a stage and an insurance.
CREATE INDEX patient_by_stage_and_coverage ON patient (stage, coverage, arrived_at, patient_id);
