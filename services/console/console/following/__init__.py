"""What the streams say, turned into what staff look at: one row for each person, their tasks, their journal."""
