"""Answers of a payer made of the segments that a test is about."""

from datetime import date

from billing.benefits.services import Service, load_services
from billing.x12 import read
from billing.x12.records import Benefit
from tests.billing.x12_samples import HEADER, SUBSCRIBER, interchange, joined, segments, transaction

DAY = date(2027, 3, 4)
CATALOGUE = load_services()
SERVICES: dict[str, Service] = {one.id: one for one in CATALOGUE.services}


def said(*text: str) -> list[Benefit]:
    """The benefits of an answer with these segments."""
    file = read(joined(interchange(transaction([*HEADER, *SUBSCRIBER, *segments(*text)]))))
    return file.interchanges[0].transactions[0].coverages[0].benefits


def texts(benefits: list[Benefit], positions: tuple[int, ...]) -> list[str]:
    """The segments at these positions, as sent."""
    by_position = {one.position: one.segment for one in benefits}
    return [by_position[at] for at in positions]
