"""HTTP as every service speaks it: who may, what went wrong, who looked at whom, and the same answer twice."""

from chassis.http.access import record_access
from chassis.http.app import LARGEST_BODY, create_app
from chassis.http.idempotency import Answer, answer_once, forget_old_answers
from chassis.http.identity import requires
from chassis.http.problems import Problem
from chassis.tokens import Actor, Role

__all__ = [
    "LARGEST_BODY",
    "Actor",
    "Answer",
    "Problem",
    "Role",
    "answer_once",
    "create_app",
    "forget_old_answers",
    "record_access",
    "requires",
]
