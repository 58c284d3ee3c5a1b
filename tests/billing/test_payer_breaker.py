"""A payer that fails again and again is left alone, and tried by one question at a time."""

from dataclasses import dataclass

from billing.payers.breaker import FAILURES, LONGEST_REST_SECONDS, REST_SECONDS, Breaker


@dataclass
class Hand:
    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


def broken(now: Hand) -> Breaker:
    breaker = Breaker(now)
    for _ in range(FAILURES):
        assert breaker.lets_through()
        breaker.record(failed=True)
    return breaker


def test_it_opens_after_failures_in_a_row_and_not_before() -> None:
    breaker = Breaker(Hand())
    for _ in range(3):
        for _ in range(FAILURES - 1):
            breaker.record(failed=True)
        breaker.record(failed=False)
    assert breaker.lets_through() and not breaker.open
    assert not broken(Hand()).lets_through()


def test_after_the_rest_one_question_is_the_trial() -> None:
    now = Hand()
    breaker = broken(now)
    now.seconds += REST_SECONDS
    assert [breaker.lets_through() for _ in range(3)] == [True, False, False]
    breaker.record(failed=False)
    assert [breaker.lets_through() for _ in range(3)] == [True, True, True]


def test_each_failed_trial_makes_the_rest_longer_up_to_a_bound() -> None:
    now = Hand()
    breaker, rests = broken(now), []
    for _ in range(12):
        began = now.seconds
        while not breaker.lets_through():
            now.seconds += 1
        rests.append(now.seconds - began)
        breaker.record(failed=True)
    assert rests[0] == REST_SECONDS
    assert rests == sorted(rests)
    assert rests[-1] == LONGEST_REST_SECONDS


def test_a_trial_that_told_nothing_may_be_made_again() -> None:
    now = Hand()
    breaker = broken(now)
    now.seconds += REST_SECONDS
    assert breaker.lets_through()
    breaker.forget_trial()
    assert breaker.lets_through()
