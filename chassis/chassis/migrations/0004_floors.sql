-- Below its floor a shard has no row, and none can appear there any more.
ALTER TABLE relay_lease ADD COLUMN floor bigint NOT NULL DEFAULT 0;
