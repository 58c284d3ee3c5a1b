"""The addresses of one coverage: to look at it, to correct it, and to have the payer asked again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Form, Path, Response
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse

from billing.verification import changing, insured, store
from billing.verification.by_hand import AnsweredToday, ByHand, NoSuchCoverage, NothingChanged
from billing.verification.concluding import CHANGED
from billing.verification.model import State
from billing.worklist.addresses import At, Biller, CoverageIdInPath, InUrl, LastSeen, Mark, Reader, Trace
from billing.worklist.case import Case, mark, read_case, read_person
from billing.worklist.case_page import CasePage, place_of
from billing.worklist.correcting import NotYet, Typed, corrections
from billing.worklist.form import CorrectionForm, again, fresh
from billing.worklist.rendering import Desk
from billing.worklist.wording import Done
from chassis.database import Database
from chassis.http import Actor, Problem, Role, record_access
from chassis.pages import Live
from chassis.transaction import Transaction

_CHANGED_MEANWHILE: Final = (
    "Somebody has changed this coverage since you opened it. What you typed is kept: see what stands now, and send it "
    "again if it is still right."
)
_AS_IT_STANDS: Final = "Nothing here differs from what was asked. Change what is wrong, or ask again as it is."
_ANSWERED_TODAY: Final = "The payer has answered this question today. Asking again costs, and mostly gives the same."


class _ChangedMeanwhile(Exception):
    """The facts are others than those that the form was made from."""


@dataclass(frozen=True, slots=True)
class Opened:
    """Which coverage, and from where in which list it was opened."""

    coverage_id: CoverageIdInPath
    shows: InUrl
    at: At

    def url(self, step: str = "", **more: str) -> str:
        return self.shows.case_url(self.coverage_id, self.at, step, **more)


def _typed(
    payer: Annotated[str, Form()] = "",
    payer_before: Annotated[str, Form()] = "",
    payer_id: Annotated[str, Form()] = "",
    member_id: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    birth_date: Annotated[str, Form()] = "",
    holder: Annotated[str, Form()] = "",
) -> Typed:
    return Typed(payer, payer_before, payer_id, member_id, name, birth_date, holder)


InHand = Annotated[Opened, Depends()]


def case_pages(database: Database, desk: Desk, live: Live, by_hand: ByHand) -> APIRouter:
    router = APIRouter(prefix="/worklist/coverages/{coverage_id}", include_in_schema=False)
    counter = Counter(database, desk, by_hand)

    @router.get("")
    async def look(actor: Reader, opened: InHand, done: Done | None = None, question: Trace = None) -> HTMLResponse:
        return await counter.page(opened, actor, trace=question, done=done)

    @router.get("/live")
    async def updates(
        actor: Reader, opened: InHand, question: Trace = None, seen: Mark = "", last_event_id: LastSeen = ""
    ) -> StreamingResponse:
        view = CasePage(opened.coverage_id, actor.role, opened.shows, opened.at, question, desk)
        return live.stream(view, actor, seen=last_event_id or seen)

    @router.post("/correction")
    async def correct(
        actor: Biller, opened: InHand, typed: Annotated[Typed, Depends(_typed)], seen: Annotated[str, Form()] = ""
    ) -> Response:
        notice, fault = None, None
        try:
            await counter.correct(opened.coverage_id, actor, typed, seen)
        except NotYet as not_yet:
            fault = not_yet.faults
        except NothingChanged:
            notice = _AS_IT_STANDS
        except _ChangedMeanwhile:
            notice = _CHANGED_MEANWHILE
        else:
            return RedirectResponse(opened.url(done=Done.CORRECTED), 303)
        return await counter.page(opened, actor, form=partial(again, typed=typed, faults=fault, notice=notice))

    @router.post("/ask-again")
    async def ask_again(actor: Biller, opened: InHand, forced: Annotated[bool, Form()] = False) -> Response:
        try:
            async with database.transaction() as tx:
                one = await by_hand.ask_again(tx, opened.coverage_id, actor, forced=forced)
                await record_access(tx.connection, actor, subjects=[one.patient_id], what="coverage_asked_again")
        except AnsweredToday:
            return await counter.page(opened, actor, refusal=_ANSWERED_TODAY)
        except NoSuchCoverage:
            raise _no_such_coverage() from None
        return RedirectResponse(opened.url(done=Done.ASKED_AGAIN), 303)

    @router.post("/order")
    async def order(
        actor: Biller, opened: InHand, order: Annotated[Literal["primary", "secondary", "unknown"], Form()]
    ) -> Response:
        """Which of the patient's insurances pays first; `unknown` takes back what a person had said."""
        try:
            async with database.transaction() as tx:
                said = None if order == "unknown" else order
                coverage = await by_hand.order(tx, opened.coverage_id, said, actor)
                await record_access(tx.connection, actor, subjects=[coverage.patient_id], what="coverage_ordered")
                tx.wake(CHANGED)
        except NoSuchCoverage:
            raise _no_such_coverage() from None
        except NothingChanged:
            pass  # it had been said before: as good as done
        return RedirectResponse(opened.url(done=Done.ORDERED), 303)

    @router.post("/changes/{id}/done")
    async def dealt_with(actor: Biller, opened: InHand, id: Annotated[int, Path(ge=1, lt=2**63)]) -> Response:
        """Somebody has acted on a change between two answers. Doing it again changes nothing."""
        async with database.transaction() as tx:
            found = await changing.mark_done(tx.connection, id, actor.name, tx.now)
            if found is None or found.coverage_id != opened.coverage_id:
                raise Problem(404, "No such change", "This coverage has no change with this number.")
            await record_access(tx.connection, actor, subjects=[found.patient_id], what="coverage_change_done")
            tx.wake(CHANGED)
        return RedirectResponse(opened.url(done=Done.DEALT_WITH), 303)

    @router.get("/correction")
    @router.get("/ask-again")
    async def look_again(_actor: Reader, opened: InHand) -> Response:
        """A reload after something that could not be done."""
        return RedirectResponse(opened.url(), 303)

    return router


class Counter:
    """Where one coverage is looked at and corrected."""

    def __init__(self, database: Database, desk: Desk, by_hand: ByHand) -> None:
        self._database = database
        self._desk = desk
        self._by_hand = by_hand

    async def page(
        self,
        opened: Opened,
        actor: Actor,
        *,
        trace: str | None = None,
        done: Done | None = None,
        form: Callable[[Case], CorrectionForm] | None = None,
        refusal: str | None = None,
    ) -> HTMLResponse:
        """The whole page, recorded before it is answered. `form` makes one that was sent and could not be taken."""
        async with self._database.snapshot() as connection:
            case = await read_case(connection, opened.coverage_id)
            if case is None:
                raise _no_such_coverage()
            place = opened.at or place_of(case)
            view = CasePage(opened.coverage_id, actor.role, opened.shows, place, trace, self._desk)
            rendered = await view.around(connection, case)
            await record_access(connection, actor, subjects=rendered.patients, what=view.what)
        live_at = opened.shows.case_url(
            opened.coverage_id, place, "live", seen=rendered.mark, **({"question": trace} if trace else {})
        )
        context = {
            "actor": actor,
            "case": case,
            "shows": opened.shows,
            "place": place,
            "done": done,
            "refusal": refusal,
            "form": form(case) if form else fresh(case, self._desk.directory),
            "may_correct": actor.role is Role.BILLING,
            "directory": self._desk.directory,
            "fragments": rendered.fragments,
            "live_at": live_at,
        }
        status = 422 if form else 409 if refusal else 200
        return HTMLResponse(self._desk.render("coverage.html", context), status)

    async def correct(self, coverage_id: str, actor: Actor, typed: Typed, seen: str) -> None:
        """Correct and ask again. Raises NotYet, NothingChanged or _ChangedMeanwhile; doing it twice does it once."""
        async with self._database.transaction() as tx:
            coverage = await insured.coverage(tx.connection, coverage_id)
            if coverage is None:
                raise _no_such_coverage()
            await insured.lock_patient(tx.connection, coverage.patient_id)
            coverage = await insured.coverage(tx.connection, coverage_id) or coverage
            person = await read_person(tx.connection, coverage.patient_id)
            wanted = corrections(typed, coverage, person, self._desk.directory)
            if not wanted.model_fields_set and await _under_way(tx, coverage_id):
                return
            if seen != mark(coverage, person):
                raise _ChangedMeanwhile
            await self._by_hand.correct(tx, coverage_id, wanted, actor)
            await record_access(tx.connection, actor, subjects=[coverage.patient_id], what="coverage_corrected")


async def _under_way(tx: Transaction, coverage_id: str) -> bool:
    """Whether the very question is out: the form was sent twice."""
    last = (await store.last_verifications(tx.connection, [coverage_id])).get(coverage_id)
    return last is not None and last.state is State.ASKING


def _no_such_coverage() -> Problem:
    return Problem(404, "No such coverage", "There is no coverage with this id.")
