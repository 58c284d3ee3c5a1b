"""One file a question, each measured beside a peer or a limit in the same run: `make bench NAME=…`."""
