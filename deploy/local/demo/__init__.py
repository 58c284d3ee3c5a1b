"""`make demo`: seven made-up people go through the whole clinic, and everything that came of it is checked."""
