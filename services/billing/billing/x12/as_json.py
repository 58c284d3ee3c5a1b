"""What was read, as JSON values: codes as sent, each beside its meaning (null where the code is in no list).

What is absent or empty in the file is null, or an empty list.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import date
from typing import Any

from billing.x12 import codes
from billing.x12.records import (
    Acknowledgement,
    Benefit,
    Circumstance,
    Contact,
    Coverage,
    Delivery,
    File,
    Inquiry,
    Interchange,
    Party,
    Period,
    Problem,
    Procedure,
    Question,
    Raw,
    Reference,
    Rejection,
    Trace,
    Transaction,
    TransactionAnswer,
)
from billing.x12.status import status

Json = dict[str, Any]
StatusOf = Callable[[Coverage], Json]


def file_json(file: File, on: date | None = None, service_types: Collection[str] = ()) -> Json:
    """The whole file. `on` and `service_types` are the question that each coverage's status answers."""

    def status_of(coverage: Coverage) -> Json:
        found = status(coverage, on, service_types)
        return {
            "status": found.answer,
            "status_cause": found.cause,
            "status_positions": list(found.positions),
        }

    return {"interchanges": [_interchange(interchange, status_of) for interchange in file.interchanges]}


def error_json(code: str, message: str) -> Json:
    return {"error": {"code": code, "message": message}}


def _interchange(interchange: Interchange, status_of: StatusOf) -> Json:
    return {
        "control_number": interchange.control_number,
        "sender": interchange.sender,
        "sender_qualifier": interchange.sender_qualifier,
        "receiver": interchange.receiver,
        "receiver_qualifier": interchange.receiver_qualifier,
        "version": interchange.version,
        "usage": interchange.usage,
        "problems": _problems(interchange.problems),
        "transactions": [_transaction(transaction, status_of) for transaction in interchange.transactions],
        "acknowledgements": [_acknowledgement(found) for found in interchange.acknowledgements],
        "other": _raws(interchange.other),
    }


def _transaction(transaction: Transaction, status_of: StatusOf) -> Json:
    shown: Json = {
        "kind": transaction.kind or None,
        "version": transaction.version,
        "control_number": transaction.control_number,
        "position": transaction.position,
        "structure": transaction.structure,
        "purpose": transaction.purpose,
        "reference": transaction.reference,
        "created": _day(transaction.created),
        "time": transaction.time,
        "type": transaction.type,
        "problems": _problems(transaction.problems),
    }
    if transaction.kind == "271":
        shown["coverages"] = [_coverage(coverage, status_of) for coverage in transaction.coverages]
    elif transaction.kind == "270":
        shown["inquiries"] = [_inquiry(inquiry) for inquiry in transaction.inquiries]
    elif transaction.kind in ("997", "999"):
        shown["acknowledgements"] = [_acknowledgement(found) for found in transaction.acknowledgements]
    else:
        shown["segments"] = _raws(transaction.segments)
    shown["other"] = _raws(transaction.other)
    return shown


def _problems(problems: Iterable[Problem]) -> list[Json]:
    return [{"code": problem.code, "position": problem.position, "message": problem.message} for problem in problems]


def _raws(raws: Iterable[Raw]) -> list[Json]:
    return [{"segment": raw.segment, "position": raw.position} for raw in raws]


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _evidence(segment: str, position: int) -> Json:
    return {"segment": segment, "position": position}


def _coded(name: str, code: str | None, table: codes.Codes) -> Json:
    return {name: code or None, f"{name}_meaning": table.get(code) if code else None}


# -- 271


def _coverage(coverage: Coverage, status_of: StatusOf) -> Json:
    patient = coverage.patient
    return {
        "payer": _party(coverage.payer),
        "provider": _party(coverage.provider),
        "subscriber": _person(coverage.subscriber),
        "patient": {"relation": coverage.relation, **_person_fields(patient)} if patient else None,
        "traces": _traces(coverage.traces),
        **status_of(coverage),
        "answered": _day(coverage.answered),
        "plans": _plans(coverage.benefits),
        "dates": _dates(patient.dates if patient else []),
        "references": _references(patient.references if patient else []),
        "benefits": [_benefit(benefit) for benefit in coverage.benefits],
        "rejections": [_rejection(rejection) for rejection in coverage.rejections],
        "other": _raws(coverage.other),
    }


def _plans(benefits: Iterable[Benefit]) -> list[Json]:
    """Each plan that the benefits name, once, where it is first named."""
    found: dict[tuple[str | None, str | None], Json] = {}
    for benefit in benefits:
        if benefit.plan is not None or benefit.insurance_type is not None:
            found.setdefault(
                (benefit.plan, benefit.insurance_type),
                {
                    "name": benefit.plan,
                    **_coded("insurance_type", benefit.insurance_type, codes.INSURANCE_TYPES),
                    "position": benefit.position,
                },
            )
    return list(found.values())


def _benefit(benefit: Benefit) -> Json:
    return {
        **_coded("kind", benefit.kind, codes.BENEFIT_KINDS),
        "service_types": list(benefit.service_types),
        "service_type_meanings": [codes.SERVICE_TYPES.get(code) for code in benefit.service_types],
        "procedure": _procedure(benefit.procedure),
        **_coded("level", benefit.level, codes.COVERAGE_LEVELS),
        **_coded("insurance_type", benefit.insurance_type, codes.INSURANCE_TYPES),
        "plan": benefit.plan,
        **_coded("period", benefit.period, codes.PERIODS),
        "amount": benefit.amount,
        "percent": benefit.percent,
        "quantity": benefit.quantity,
        **_coded("quantity_unit", benefit.quantity_unit, codes.QUANTITIES),
        **_coded("authorization", benefit.authorization, codes.ANSWERS),
        **_coded("network", benefit.network, codes.ANSWERS),
        "diagnosis_pointers": list(benefit.diagnosis_pointers),
        "delivery": [_delivery(delivery) for delivery in benefit.delivery],
        "dates": _dates(benefit.dates),
        "references": _references(benefit.references),
        "circumstances": [_circumstance(found) for found in benefit.circumstances],
        "entities": [_party(entity) for entity in benefit.entities],
        "messages": list(benefit.messages),
        "evidence": _evidence(benefit.segment, benefit.position),
    }


def _delivery(delivery: Delivery) -> Json:
    return {
        "quantity": delivery.quantity,
        **_coded("quantity_qualifier", delivery.quantity_qualifier, codes.QUANTITIES),
        **_coded("unit", delivery.unit, codes.UNITS),
        "sample": delivery.sample,
        **_coded("period", delivery.period, codes.PERIODS),
        "period_count": delivery.period_count,
        **_coded("frequency", delivery.frequency, codes.DELIVERY_FREQUENCIES),
        "time_of_day": delivery.time_of_day,
        "position": delivery.position,
    }


def _rejection(rejection: Rejection) -> Json:
    return {
        "code": rejection.code or None,
        "valid": rejection.valid,
        "meaning": rejection.meaning,
        "loop": rejection.loop,
        "next_step": rejection.next_step,
        "next_step_meaning": rejection.next_step_meaning,
        "owner": rejection.owner,
        "retry": rejection.retry,
        "retry_after_days": rejection.retry_after_days,
        "evidence": _evidence(rejection.segment, rejection.position),
    }


# -- 270


def _inquiry(inquiry: Inquiry) -> Json:
    patient = inquiry.dependent or inquiry.subscriber
    relation = "dependent" if inquiry.dependent else "subscriber"
    return {
        "payer": _party(inquiry.payer),
        "provider": _party(inquiry.provider),
        "subscriber": _person(inquiry.subscriber),
        "patient": {"relation": relation, **_person_fields(patient)} if patient else None,
        "traces": _traces(inquiry.traces),
        "dates": _dates(patient.dates if patient else []),
        "references": _references(patient.references if patient else []),
        "questions": [_question(question) for question in inquiry.questions],
        "other": _raws(inquiry.other),
    }


def _question(question: Question) -> Json:
    return {
        "service_types": question.service_types,
        "service_type_meanings": [codes.SERVICE_TYPES.get(code) for code in question.service_types],
        "procedure": _procedure(question.procedure),
        **_coded("level", question.level, codes.COVERAGE_LEVELS),
        **_coded("insurance_type", question.insurance_type, codes.INSURANCE_TYPES),
        "diagnosis_pointers": question.diagnosis_pointers,
        "circumstances": [_circumstance(found) for found in question.circumstances],
        "dates": _dates(question.dates),
        "references": _references(question.references),
        "evidence": _evidence(question.segment, question.position),
    }


# -- both


def _party(party: Party | None) -> Json | None:
    if party is None:
        return None
    return {
        **_coded("role", party.role, codes.ENTITIES),
        "name": party.name,
        "entity_type": party.entity_type,
        "id": party.id,
        "id_qualifier": party.id_qualifier,
        "last_name": party.last,
        "first_name": party.first,
        "middle_name": party.middle,
        "prefix": party.prefix,
        "suffix": party.suffix,
        "address": _address(party),
        "provider_type": party.provider_type,
        "provider_number": party.provider_number,
        "provider_number_qualifier": party.provider_number_qualifier,
        "contacts": [_contact(contact) for contact in party.contacts],
        "references": _references(party.references),
        "dates": _dates(party.dates),
        "position": party.position or None,
    }


def _person(party: Party | None) -> Json | None:
    if party is None:
        return None
    return {
        **_person_fields(party),
        "references": _references(party.references),
        "dates": _dates(party.dates),
    }


def _person_fields(party: Party) -> Json:
    return {
        "name": party.name,
        "member_id": party.id,
        "member_id_qualifier": party.id_qualifier,
        "last_name": party.last,
        "first_name": party.first,
        "middle_name": party.middle,
        "prefix": party.prefix,
        "suffix": party.suffix,
        **_coded("role", party.role, codes.ENTITIES),
        "entity_type": party.entity_type,
        "birth_date": _day(party.birth_date),
        "gender": party.gender,
        **_coded("insured", party.insured, codes.ANSWERS),
        **_coded("relationship", party.relationship, codes.RELATIONSHIPS),
        "address": _address(party),
        "provider_type": party.provider_type,
        "provider_number": party.provider_number,
        "provider_number_qualifier": party.provider_number_qualifier,
        "contacts": [_contact(contact) for contact in party.contacts],
        "position": party.position or None,
    }


def _address(party: Party) -> Json | None:
    if not (party.address or party.city or party.state or party.postal_code or party.country):
        return None
    return {
        "lines": party.address,
        "city": party.city,
        "state": party.state,
        "postal_code": party.postal_code,
        "country": party.country,
    }


def _contact(contact: Contact) -> Json:
    return {
        "function": contact.function or None,
        "name": contact.name,
        "numbers": [{"qualifier": qualifier or None, "number": number} for qualifier, number in contact.numbers],
        "position": contact.position,
    }


def _traces(traces: Iterable[Trace]) -> list[Json]:
    return [
        {
            "type": trace.type or None,
            "number": trace.number or None,
            "originator": trace.originator,
            "originator_detail": trace.originator_detail,
            "position": trace.position,
        }
        for trace in traces
    ]


def _dates(periods: Iterable[Period]) -> list[Json]:
    return [
        {
            **_coded("qualifier", period.qualifier, codes.DATES),
            "from": _day(period.start),
            "to": _day(period.end),
            "text": period.text or None,
            "position": period.position,
        }
        for period in periods
    ]


def _references(references: Iterable[Reference]) -> list[Json]:
    return [
        {
            **_coded("qualifier", reference.qualifier, codes.REFERENCES),
            "value": reference.value or None,
            "description": reference.description,
            "position": reference.position,
        }
        for reference in references
    ]


def _procedure(procedure: Procedure | None) -> Json | None:
    if procedure is None:
        return None
    return {
        "qualifier": procedure.qualifier or None,
        "code": procedure.code,
        "modifiers": procedure.modifiers,
        "description": procedure.description,
        "last_code": procedure.last_code,
    }


def _circumstance(found: Circumstance) -> Json:
    meaning = codes.PLACES_OF_SERVICE.get(found.code or "") if found.qualifier == "ZZ" else None
    return {
        "qualifier": found.qualifier,
        "code": found.code,
        "meaning": meaning,
        "category": found.category,
        "text": found.text,
        "position": found.position,
    }


# -- acknowledgements


def _said(element: str, code: str | None) -> str | None:
    return codes.ACKNOWLEDGEMENTS.get((element, code)) if code else None


def _codes_said(element: str, found: Iterable[str]) -> list[Json]:
    return [{"code": code, "meaning": _said(element, code)} for code in found]


def _acknowledgement(found: Acknowledgement) -> Json:
    is_ta1 = found.kind == "TA1"
    return {
        "kind": found.kind,
        "group": found.group,
        "control_number": found.control_number or None,
        "version": found.version,
        "status": found.status,
        "status_meaning": _said("interchange" if is_ta1 else "status", found.status),
        "codes": _codes_said("note" if is_ta1 else "group", found.codes),
        "counts": found.counts,
        "transactions": [_transaction_answer(answer) for answer in found.transactions],
        "evidence": _evidence(found.segment, found.position),
    }


def _transaction_answer(answer: TransactionAnswer) -> Json:
    return {
        "kind": answer.kind or None,
        "control_number": answer.control_number or None,
        "version": answer.version,
        "status": answer.status,
        "status_meaning": _said("status", answer.status),
        "codes": _codes_said("transaction", answer.codes),
        "errors": [
            {
                "segment": error.segment_id or None,
                "segment_position": error.ordinal or None,
                "loop": error.loop,
                "code": error.code,
                "meaning": _said("segment", error.code),
                "context": error.context,
                "elements": [
                    {
                        "element": element.element or None,
                        "reference": element.reference,
                        "code": element.code,
                        "meaning": _said("element", element.code),
                        "value": element.value,
                        "context": element.context,
                        "position": element.position,
                    }
                    for element in error.elements
                ],
                "position": error.position,
            }
            for error in answer.errors
        ],
        "position": answer.position,
    }
