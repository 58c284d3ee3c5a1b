"""The 271, health care eligibility answer: what each patient's plan says (005010X279A1, 004010X092, X092A1)."""

from functools import lru_cache

from billing.x12 import codes
from billing.x12.elements import decimal_text
from billing.x12.levels import DEPENDENT, LETTERS, SOURCE, SUBSCRIBER, Level, Surroundings
from billing.x12.loops import SHARED, Handler, LoopReader, added
from billing.x12.records import Benefit, Coverage, Delivery, Procedure, Rejection, Transaction
from billing.x12.separators import Separators

_EB_ELEMENTS = 15
_PAD = ("",) * _EB_ELEMENTS
_RELATED_ENTITIES = ["2120"]


def read(transaction: Transaction, body: list[str], separators: Separators, padded: bool) -> None:
    """Fill the transaction's coverages and problems from its segments, ST to SE."""
    reader = _BenefitReader(transaction, separators)
    reader.read(body, padded=padded)
    transaction.coverages = reader.coverages()


def rejection(valid: str, code: str, next_step: str, loop: str, segment: str, position: int) -> Rejection:
    """What an AAA means. AAA04, where known, decides when to ask again, whatever the reason is."""
    reason = codes.REASONS.get(code)
    step = codes.NEXT_STEPS.get(next_step)
    return Rejection(
        code=code,
        valid={"Y": True, "N": False}.get(valid),
        meaning=reason.meaning if reason else None,
        loop=loop,
        next_step=next_step or None,
        next_step_meaning=step.meaning if step else None,
        owner=reason.owner if reason else "staff",
        retry=step.retry if step else reason.retry if reason else "never",
        retry_after_days=step.days if step else None,
        segment=segment,
        position=position,
    )


def procedure(composite: str, component: str) -> Procedure:
    """EB13 or EQ02: qualifier, code, up to four modifiers, a description, the last code of a range."""
    qualifier, code, *rest = (*composite.split(component), "")
    rest = [part.strip() for part in (*rest, *_PAD[:7])]
    return Procedure(
        qualifier.strip(),
        code.strip() or None,
        [part for part in rest[:4] if part],
        rest[4] or None,
        rest[5] or None,
    )


@lru_cache(maxsize=4096)
def _service_types(text: str, repetition: str | None) -> tuple[tuple[str, ...], bool]:
    """The codes of one EB03, and whether all of them are known."""
    parts = text.split(repetition) if repetition else [text]
    types = tuple(part for part in map(str.strip, parts) if part)
    return types, all(code in codes.SERVICE_TYPES for code in types)


class _BenefitReader(LoopReader[Benefit]):
    def __init__(self, transaction: Transaction, separators: Separators) -> None:
        super().__init__(transaction, separators)
        self.read_types: dict[str, tuple[str, ...]] = {}

    def eb(self, fields: list[str]) -> None:
        level = self.level
        if level is None or level.rank < SUBSCRIBER:
            level = self.patient_level()
        count = len(fields)
        if count < _EB_ELEMENTS:
            fields += _PAD[count:]
        elif count > _EB_ELEMENTS:
            self.report("extra_elements")
            del fields[_EB_ELEMENTS:]
        (
            _, kind, coverage_level, types, insurance, plan, period, amount, percent,
            unit, quantity, authorization, network, composite, pointers,
        ) = fields  # fmt: skip
        if kind not in codes.BENEFIT_KINDS:
            kind = self._kind(kind)
        if coverage_level and coverage_level not in codes.COVERAGE_LEVELS:
            coverage_level = self.known(coverage_level, codes.COVERAGE_LEVELS, "EB02")
        if insurance and insurance not in codes.INSURANCE_TYPES:
            insurance = self.known(insurance, codes.INSURANCE_TYPES, "EB04")
        if period and period not in codes.PERIODS:
            period = self.known(period, codes.PERIODS, "EB06")
        if unit and unit not in codes.QUANTITIES:
            unit = self.known(unit, codes.QUANTITIES, "EB09")
        if authorization and authorization not in codes.ANSWERS:
            authorization = self.known(authorization, codes.ANSWERS, "EB11")
        if network and network not in codes.ANSWERS:
            network = self.known(network, codes.ANSWERS, "EB12")
        self.detail = benefit = Benefit(
            kind,
            coverage_level or None,
            (self.read_types.get(types) or self.service_types(types)) if types else (),
            insurance or None,
            plan or None,
            period or None,
            self.number(amount, "EB07") if amount else None,
            self.number(percent, "EB08") if percent else None,
            unit or None,
            self.number(quantity, "EB10") if quantity else None,
            authorization or None,
            network or None,
            procedure(composite, self.separators.component) if composite else None,
            tuple(filter(None, pointers.split(self.separators.component))) if pointers else (),
            self.segment,
            self.position,
        )
        level.benefits.append(benefit)
        self.entity = None
        if self.in_related_entities:
            self.report("missing_le")
            self.in_related_entities = False

    def _kind(self, kind: str) -> str:
        if not kind:
            self.report("missing_element", "EB01 is empty")
        return self.known(kind, codes.BENEFIT_KINDS, "EB01")

    def service_types(self, text: str) -> tuple[str, ...]:
        """EB03, which repeats; the same types come again and again, so each list is looked at once."""
        types, known = _service_types(text, self.separators.repetition)
        if known:
            self.read_types[text] = types
        else:
            for code in types:
                self.known(code, codes.SERVICE_TYPES, "EB03")
        return types

    def number(self, text: str, element: str) -> str | None:
        number = decimal_text(text)
        if number is None and text:
            self.report("malformed_number", f"{element} is not a decimal number; see the evidence")
        return number

    def aaa(self, fields: list[str]) -> None:
        level = self.level
        if level is None:
            level = self.infer(SOURCE, "missing_hl")
        valid, _, code, next_step = (*fields[1:5], *_PAD)[:4]
        if not code:
            self.report("missing_element", "AAA03 is empty")
        code = self.known(code, _REASON_CODES, "AAA03")
        next_step = self.known(next_step, _NEXT_STEP_CODES, "AAA04")
        self.known(valid, codes.ANSWERS, "AAA01")
        level.rejections.append(rejection(valid, code, next_step, self._loop(level), self.segment, self.position))

    def _loop(self, level: Level) -> str:
        if self.detail is not None:
            return f"2110{LETTERS[level.rank]}"
        if level.rank == SOURCE and level.party.role is None:
            return "2000A"
        return f"2100{LETTERS[level.rank]}"

    def hsd(self, fields: list[str]) -> None:
        if self.detail is None:
            self.misplaced()
            return
        values = [value or None for value in (*fields[1:9], *_PAD)]
        qualifier, quantity, unit, sample, period, count, frequency, time_of_day = values[:8]
        delivery = Delivery(
            qualifier,
            self.number(quantity, "HSD02") if quantity else None,
            unit,
            sample,
            period,
            self.number(count, "HSD06") if count else None,
            frequency,
            time_of_day,
            self.position,
        )
        self.detail.delivery = added(self.detail.delivery, delivery)
        if len(fields) > 9 and any(fields[9:]):
            self.keep()

    def msg(self, fields: list[str]) -> None:
        text = fields[1] if len(fields) > 1 else ""
        if self.detail is None:
            self.keep()
        elif text:
            self.detail.messages = added(self.detail.messages, text)
        if len(fields) > 2 and any(fields[2:]):
            self.keep()

    def ls(self, fields: list[str]) -> None:
        if self.detail is None:
            self.misplaced()
            return
        self._loop_named(fields)
        if self.in_related_entities:
            self.report("missing_le")
        self.in_related_entities = True
        self.entity = None

    def _loop_named(self, fields: list[str]) -> None:
        """LS01 and LE01 are always 2120; another name is shown as sent."""
        if fields[1:] != _RELATED_ENTITIES:
            self.keep()

    def le(self, fields: list[str]) -> None:
        self._loop_named(fields)
        if not self.in_related_entities:
            self.report("missing_ls")
        self.in_related_entities = False
        self.entity = None

    # -- levels to coverages

    def coverages(self) -> list[Coverage]:
        """One for each patient and one for each rejection above the patients, in file order; at least one."""
        return [self._coverage(level) for level in self.telling(_speaks) or [None]]

    def _coverage(self, level: Level | None) -> Coverage:
        around = level.surroundings() if level else Surroundings()
        patient = level if level is not None and level.rank >= SUBSCRIBER else None
        return Coverage(
            payer=around.payer,
            provider=around.provider,
            subscriber=around.subscriber,
            patient=patient and patient.party,
            relation=patient and ("dependent" if patient.rank == DEPENDENT else "subscriber"),
            traces=around.traces,
            benefits=level.benefits if level else [],
            rejections=level.rejections if level else [],
            other=level.other if level else [],
            answered=self.transaction.created,
            complete=not self.transaction.cut_off,
        )


def _speaks(level: Level) -> bool:
    """Whether something is said about this level itself: a patient, or anyone who is rejected."""
    if level.benefits or level.rejections:
        return True
    return level.rank == DEPENDENT or (level.rank == SUBSCRIBER and not level.children)


_REASON_CODES: codes.Codes = {code: reason.meaning for code, reason in codes.REASONS.items()}
_NEXT_STEP_CODES: codes.Codes = {code: step.meaning for code, step in codes.NEXT_STEPS.items()}

_OWN: dict[str, Handler] = {
    "EB": _BenefitReader.eb,
    "AAA": _BenefitReader.aaa,
    "HSD": _BenefitReader.hsd,
    "MSG": _BenefitReader.msg,
    "LS": _BenefitReader.ls,
    "LE": _BenefitReader.le,
}
_BenefitReader.handlers = SHARED | _OWN
