"""The checker finds what is wrong, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.faults.checking import Kind, check
from tests.faults.evidence import Evidence, Heard, Message, Told
from tests.faults.load import Promise

ADA = "patient_ada"


def event(number: int, type: str, *, topic: str = "intake.events", offset: int | None = None) -> Heard:
    place = number - 1 if offset is None else offset
    return Heard(topic, 3, place, f"{topic}-{number}", type, ADA, number, f"{type}:{ADA}", f"digest {number}", 0.0)


def all_well() -> Evidence:
    """One person, insured, whose journey came to its end."""
    heard = [
        event(1, "intake.patient_registered.v1"),
        event(2, "intake.submitted.v1"),
        event(3, "intake.coverage_reported.v1"),
        event(1, "scheduling.appointment_booked.v1", topic="scheduling.events"),
        event(1, "billing.verification_requested.v1", topic="billing.events"),
        event(2, "billing.coverage_verified.v1", topic="billing.events"),
        event(1, "notify.message_sent.v1", topic="notify.events"),
    ]
    return Evidence(
        promises=[Promise("key", ADA, "7KMQ-2XPD", 0.0, 0.0, True, False, 2, (ADA,))],
        heard=heard,
        heads={(one.topic, ADA): one.sequence for one in heard},
        told=[Told(one.topic, ADA, one.sequence, one.id) for one in heard],
        hears={"scheduling": frozenset({"intake.submitted.v1"})},
        applied={"scheduling": frozenset({"intake.events-2"})},
        intakes=[(ADA, "7KMQ-2XPD")],
        visits=[ADA],
        messages=[
            Message(ADA, "appointment_booked:1:1", "email", "sent", "<letter 1>"),
            Message(ADA, "appointment_booked:1:1", "sms", "delivered", "SM1"),
            Message(ADA, "coverage:1:1", "email", "sent", "<letter 2>"),
        ],
        letters=["<letter 1>", "<letter 2>"],
        texts=[("SM1", "words")],
        questions=["TRACE"],
        decided_questions=frozenset({"TRACE"}),
    )


def test_a_clinic_in_which_all_is_well_has_no_findings() -> None:
    assert check(all_well()) == []


def form_not_on_file(found: Evidence) -> None:
    found.intakes = []


def never_published(found: Evidence) -> None:
    found.heads["intake.events", ADA] = 4


def not_applied(found: Evidence) -> None:
    found.applied["scheduling"] = frozenset()


def witness_not_told(found: Evidence) -> None:
    del found.told[2]


def no_visit(found: Evidence) -> None:
    found.visits = []


def payer_never_asked(found: Evidence) -> None:
    found.heard = [one for one in found.heard if "billing" not in one.topic]


def letter_never_taken(found: Evidence) -> None:
    found.letters = ["<letter 1>"]


def message_given_up(found: Evidence) -> None:
    found.messages[0] = replace(found.messages[0], fate="failed")


def poison_not_kept(found: Evidence) -> None:
    found.poison = frozenset({("intake.events", 3, 99)})


def form_taken_twice(found: Evidence) -> None:
    found.intakes.append(("patient_second", "AAAA-BBBB"))


def double_click_made_two(found: Evidence) -> None:
    found.promises[0] = replace(found.promises[0], ids=(ADA, "patient_second"))


def decided_twice(found: Evidence) -> None:
    again = replace(found.heard[3], id="another", sequence=2, offset=9)
    found.heard.append(again)
    found.heads["scheduling.events", ADA] = 2
    found.told.append(Told("scheduling.events", ADA, 2, "another"))


def applied_twice(found: Evidence) -> None:
    found.told.append(found.told[1])


def copies_that_differ(found: Evidence) -> None:
    found.heard.append(replace(found.heard[0], offset=77, digest="another"))


def two_visits(found: Evidence) -> None:
    found.visits.append(ADA)


def told_twice(found: Evidence) -> None:
    found.messages.append(replace(found.messages[0], reference="<letter 3>"))
    found.letters.append("<letter 3>")


def letter_without_decision(found: Evidence) -> None:
    found.letters.append("<letter 9>")


def question_without_decision(found: Evidence) -> None:
    found.questions.append("ANOTHER")


def published_out_of_turn(found: Evidence) -> None:
    found.heard[0] = replace(found.heard[0], offset=50)


def spread_over_partitions(found: Evidence) -> None:
    found.heard[2] = replace(found.heard[2], partition=4)


def applied_out_of_turn(found: Evidence) -> None:
    found.told[0], found.told[1] = found.told[1], found.told[0]


def letter_sent_again(found: Evidence) -> None:
    found.letters.append("<letter 1>")


def text_sent_again(found: Evidence) -> None:
    found.texts.append(("SM2", "words"))


def question_asked_again(found: Evidence) -> None:
    found.questions.append("TRACE")


def outbox_not_drained(found: Evidence) -> None:
    found.waiting["billing outbox"] = 3


def parked_without_being_poison(found: Evidence) -> None:
    found.parked.append(("notify", "intake.events", 3, 1, "KeyError"))


WRONG: dict[Kind, list[Callable[[Evidence], None]]] = {
    Kind.LOST: [
        form_not_on_file,
        never_published,
        not_applied,
        witness_not_told,
        no_visit,
        payer_never_asked,
        letter_never_taken,
        message_given_up,
        poison_not_kept,
    ],
    Kind.DOUBLED: [
        form_taken_twice,
        double_click_made_two,
        decided_twice,
        applied_twice,
        copies_that_differ,
        two_visits,
        told_twice,
        letter_without_decision,
        question_without_decision,
    ],
    Kind.REORDERED: [published_out_of_turn, spread_over_partitions, applied_out_of_turn],
    Kind.RESENT: [letter_sent_again, text_sent_again, question_asked_again],
    Kind.LEFT: [outbox_not_drained, parked_without_being_poison],
}


@pytest.mark.parametrize(
    ("kind", "wrong"), [(kind, one) for kind, several in WRONG.items() for one in several], ids=lambda one: str(one)
)
def test_each_thing_that_can_go_wrong_is_found_for_what_it_is(kind: Kind, wrong: Callable[[Evidence], None]) -> None:
    found = all_well()
    wrong(found)
    assert kind in {finding.kind for finding in check(found)}


def test_a_late_copy_of_an_event_is_nobodys_fault() -> None:
    found = all_well()
    found.heard.append(replace(found.heard[0], offset=500))
    assert check(found) == []
