-- By which a program's repeat of its own question is known: a digest of whom and what it asked about, and the day.
ALTER TABLE inquiry ADD COLUMN question bytea;
CREATE INDEX inquiry_of_question ON inquiry (actor, question) WHERE question IS NOT NULL;

-- Who asked about a stranger sees it; programs that keep up with the clinic's patients do not.
UPDATE verification SET latest = false WHERE reason = 'asked' AND latest;
