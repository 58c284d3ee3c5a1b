-- What the answer comes to for each of the clinic's services, the further payers it names, and the last day of the
-- benefit year that its figures belong to.
ALTER TABLE verification
    ADD COLUMN services          jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN other_payers      jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN benefit_year_ends date;

-- Which of a patient's coverages pays first, where a person has said so.
ALTER TABLE coverage ADD COLUMN order_by_hand text CHECK (order_by_hand IN ('primary', 'secondary'));
ALTER TABLE change_by_hand DROP CONSTRAINT change_by_hand_what_check;
ALTER TABLE change_by_hand ADD CONSTRAINT change_by_hand_what_check
    CHECK (what IN ('asked_again', 'corrected', 'ordered', 'change_done'));

-- What is different between two answers about one coverage. `to_do` is what a person is asked to do about it.
CREATE TABLE coverage_change (
    id              bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at              timestamptz NOT NULL,
    verification_id text        NOT NULL UNIQUE REFERENCES verification,
    coverage_id     text        NOT NULL REFERENCES coverage,
    patient_id      text        NOT NULL,
    changes         jsonb       NOT NULL,
    to_do           text,
    done_at         timestamptz,
    done_by         text
);
CREATE INDEX coverage_change_of_coverage ON coverage_change (coverage_id, id DESC);
CREATE INDEX coverage_change_open ON coverage_change (id) WHERE to_do IS NOT NULL AND done_at IS NULL;
