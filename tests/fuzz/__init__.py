"""Requests that nobody would think of, to every address of every service: none may end in a fault of ours."""
