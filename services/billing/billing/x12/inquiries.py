"""The 270, health care eligibility question: who asks what about whom (005010X279A1, 004010X092, X092A1)."""

from billing.x12 import codes
from billing.x12.benefits import procedure
from billing.x12.levels import DEPENDENT, SUBSCRIBER, Level, Surroundings
from billing.x12.loops import SHARED, Handler, LoopReader
from billing.x12.records import Inquiry, Question, Transaction
from billing.x12.separators import Separators

_PAD = ("",) * 6


def read(transaction: Transaction, body: list[str], separators: Separators, padded: bool) -> None:
    """Fill the transaction's inquiries and problems from its segments, ST to SE."""
    reader = _InquiryReader(transaction, separators)
    reader.read(body, padded=padded)
    transaction.inquiries = reader.inquiries()


class _InquiryReader(LoopReader[Question]):
    def eq(self, fields: list[str]) -> None:
        level = self.patient_level()
        _, types, composite, coverage_level, insurance, pointers, *further = (*fields, *_PAD)
        repetition = self.separators.repetition
        asked = types.split(repetition) if repetition else [types]
        self.detail = question = Question(
            [self.known(code, codes.SERVICE_TYPES, "EQ01") for code in map(str.strip, asked) if code],
            procedure(composite, self.separators.component) if composite else None,
            self.known(coverage_level, codes.COVERAGE_LEVELS, "EQ03") or None,
            self.known(insurance, codes.INSURANCE_TYPES, "EQ04") or None,
            list(filter(None, pointers.split(self.separators.component))),
            segment=self.segment,
            position=self.position,
        )
        level.questions.append(question)
        self.entity = None
        if not question.service_types and question.procedure is None:
            self.report("missing_element", "EQ01 and EQ02 are both empty")
        if any(further):
            self.report("extra_elements")

    def inquiries(self) -> list[Inquiry]:
        """One for each patient, in file order; at least one, so that nothing read is left out."""
        return [self._inquiry(level) for level in self.telling(_asks) or [None]]

    def _inquiry(self, level: Level | None) -> Inquiry:
        around = level.surroundings() if level else Surroundings()
        return Inquiry(
            payer=around.payer,
            provider=around.provider,
            subscriber=around.subscriber,
            dependent=level.party if level is not None and level.rank == DEPENDENT else None,
            traces=around.traces,
            questions=level.questions if level else [],
            other=level.other if level else [],
        )


def _asks(level: Level) -> bool:
    return bool(level.questions) or level.rank == DEPENDENT or (level.rank == SUBSCRIBER and not level.children)


_OWN: dict[str, Handler] = {"EQ": _InquiryReader.eq, "AMT": _InquiryReader.kept}
_InquiryReader.handlers = SHARED | _OWN
