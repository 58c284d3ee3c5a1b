"""Programs that ask about somebody's insurance: a question in, the answer in line or told when it is there."""
