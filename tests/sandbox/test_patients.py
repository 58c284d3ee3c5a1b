"""The people of the sandbox: the same for the same seed, insured as they say, and taken by the clinic's own form."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from billing.payers.directory import OWN_FILE as BILLING_PAYERS
from billing.x12 import status
from contracts.intake import RiskFlagged, Submitted
from sandbox.cards import layout_names
from sandbox.patients.people import People, Person, cast
from sandbox.patients.photographs import photograph
from sandbox.patients.submission import NotTaken, submit
from sandbox.payer.catalogue import catalogue
from tests.chassis.front_desk import ORIGIN
from tests.intake.reception import reception
from tests.sandbox.listener import listener
from tests.sandbox.outside import NOW, outside

CAST = ("covered", "uninsured", "without_card", "unreadable_card", "inactive", "payer_silent", "in_danger")


@cache
def photos(person: Person) -> Any:
    return photograph(person.card_fields(), person.card, person.seed) if person.card else {}


def test_a_seed_gives_the_same_people_and_another_gives_others() -> None:
    first, again, others = ([next(people) for _ in range(20)] for people in map(People, (3, 3, 4)))
    assert first == again
    assert not {person.email for person in first} & {person.email for person in others}


def test_nobody_shares_a_number_an_address_or_a_membership() -> None:
    people = People(5)
    many = [next(people) for _ in range(2000)]
    assert len({person.phone for person in many}) == len({person.email for person in many}) == len(many)
    numbers = [(m.payer, m.member_id) for m in (person.membership() for person in many) if m]
    assert len(set(numbers)) == len(numbers)


def test_the_cast_is_one_of_each_and_all_take_texts() -> None:
    people = cast(1)
    assert tuple(person.scenario for person in people) == CAST
    assert all(person.form_fields()["consent_texts"] == "yes" for person in people)
    assert [person.scenario for person in people if person.card] == ["covered", "unreadable_card"]


def test_every_payers_cards_can_be_drawn_and_the_clinic_knows_the_payer() -> None:
    assert {payer.card_layout for payer in catalogue().payers.values()} <= set(layout_names())
    known = Path(BILLING_PAYERS).read_text(encoding="utf-8")
    assert all(f'"{payer.id}"' in known for payer in catalogue().payers.values())


def test_cards_are_photographed_as_telephones_do_it() -> None:
    taken = photos(cast(11)[0])
    (front, front_bytes, front_kind), (back, back_bytes, back_kind) = taken["card_front"], taken["card_back"]
    assert (front[-4:], front_kind, front_bytes[:2]) == (".jpg", "image/jpeg", b"\xff\xd8")
    assert (back[-5:], back_kind, back_bytes[4:8]) == (".heic", "image/heic", b"ftyp")


@pytest.mark.engines
async def test_the_cast_fill_in_the_clinics_form_and_it_takes_them_all(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk:
        for person in cast(11):
            taken = await submit(desk.person, ORIGIN, person, photos(person))
            assert taken.reference and taken.patient_id
        said = await desk.said()
        forms = [event for _, event in said if isinstance(event, Submitted)]
        assert len(forms) == len(CAST)
        assert len([event for _, event in said if isinstance(event, RiskFlagged)]) == 1
        assert len(desk.stored()) == 4


@pytest.mark.engines
async def test_a_person_whom_the_form_refuses_learns_what_it_said(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk:
        nobody = cast(11)[1]
        with pytest.raises(NotTaken) as refused:
            await submit(desk.person, ORIGIN, nobody, {"card_front": ("card.jpg", b"MZ no picture", "image/jpeg")})
        assert 400 <= refused.value.status < 500


async def test_whoever_comes_is_on_record_with_their_payer_before_the_form_is_sent() -> None:
    taken = json.dumps({"reference": "R-1", "patient_id": "patient_1"}).encode()
    async with (
        listener(answers=[(503, b""), (503, b""), (201, taken)]) as clinic,
        outside(intake_url=clinic.url) as world,
    ):
        came = await world.http.post("/control/patients", json={"scenario": "in_danger"}, timeout=20)
        [patient] = came.raise_for_status().json()
        assert (patient["patient_id"], patient["form"]["in_danger"]) == ("patient_1", "yes")
        assert len(clinic.heard) == 3
        seen = (await world.http.get("/control/patients")).json()
        assert (seen["arrived"], seen["patients"][0]["reference"]) == (1, "R-1")
        [member] = world.world.gateway.register.latest(1)
        assert member.member_id == patient["form"]["member_id"]
        assert status((await world.ask(member)).coverage, NOW.date()).answer == "active"


async def test_whoever_has_a_card_sends_both_its_sides() -> None:
    taken = json.dumps({"reference": "R-1", "patient_id": "patient_1"}).encode()
    async with listener(answers=[(201, taken)]) as clinic, outside(intake_url=clinic.url) as world:
        came = await world.http.post("/control/patients", json={"scenario": "covered"}, timeout=60)
        assert came.json()[0]["reference"] == "R-1"
        [form] = clinic.heard
        assert b'name="card_front"; filename="card-front.jpg"' in form.body
        assert b'name="card_back"; filename="card-back.heic"' in form.body


async def test_without_an_address_nobody_comes_and_nobody_unheard_of_does() -> None:
    async with outside() as world:
        assert (await world.http.post("/control/patients", json={})).status_code == 409
    async with outside(intake_url="http://127.0.0.1:9") as world:
        unknown = await world.http.post("/control/patients", json={"scenario": "astronaut"})
        assert (unknown.status_code, "astronaut" in unknown.text) == (422, True)


async def test_people_trickle_in_while_the_clinic_answers() -> None:
    taken = json.dumps({"reference": "R", "patient_id": "patient"}).encode()
    async with (
        listener(answers=[(201, taken)] * 50) as clinic,
        outside(intake_url=clinic.url, patients_per_minute=600, seed=2) as world,
    ):
        assert len(await clinic.posts(3)) >= 3
        assert (await world.http.get("/control/patients")).json()["arrived"] >= 2
