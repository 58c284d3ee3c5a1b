-- One row for each time that this service was told of an event, in that order. Deliberately without any constraint:
-- if a record is applied twice, or out of turn, it shows.
CREATE TABLE told (
    ordinal  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic    text   NOT NULL,
    subject  text   NOT NULL,
    sequence bigint NOT NULL,
    event_id uuid   NOT NULL
);
