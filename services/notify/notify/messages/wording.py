"""What a message says: templates and facts in, words out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import jinja2
from pydantic import RootModel

from contracts.billing import Benefit
from contracts.intake import Insured
from contracts.money import Money
from contracts.notify import Channel
from contracts.scheduling import AppointmentKind
from notify.clinic import BadClinicFile, Clinic, read_yaml
from notify.messages import gsm7
from notify.messages.model import Appointment, Coverage, CoverageStatus, Due, Known, Person, Template, Templates

FOLDER: Final = Path(__file__).parents[1] / "templates"


class Unfit(Exception):
    """Words that may not be sent. `cause_code` says why; it holds nothing of them."""

    def __init__(self, cause_code: str) -> None:
        super().__init__(cause_code)
        self.cause_code = cause_code


@dataclass(frozen=True, slots=True)
class Letter:
    """An e-mail's words. `html` says the same as `text`."""

    subject: str
    text: str
    html: str


class _TemplateFile(RootModel[dict[str, Template]]):
    pass


class Wording:
    """The templates, checked against this clinic's facts when made. Raises BadClinicFile."""

    def __init__(self, clinic: Clinic, folder: Path = FOLDER) -> None:
        self._clinic = clinic
        self._words = jinja2.Environment(
            loader=jinja2.FileSystemLoader(folder),
            undefined=jinja2.StrictUndefined,
            autoescape=jinja2.select_autoescape(["html"], default=False),
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=False,
        )
        self.templates: Templates = read_yaml(folder / "templates.yaml", _TemplateFile).root
        self._check()

    def letter(self, due: Due, known: Known) -> Letter:
        """Raises Unfit."""
        facts = self._facts(due, known)
        subject = " ".join(self._said(f"{due.template}/subject.txt", facts).split())
        self._refuse_unspoken(subject)
        text = re.sub(r"\n{3,}", "\n\n", self._said(f"{due.template}/body.txt", facts)).strip() + "\n"
        html = self._words.get_template("layout.html").render(subject=subject, blocks=_blocks(text))
        return Letter(subject, text, html)

    def text(self, due: Due, known: Known) -> str:
        """Raises Unfit: also where it does not fit into one text."""
        said = " ".join(self._said(f"{due.template}/sms.txt", self._facts(due, known)).split())
        self._refuse_unspoken(said)
        length = gsm7.septets(said)
        if length is None:
            raise Unfit("text_not_gsm7")
        if length > gsm7.LONGEST:
            raise Unfit("text_too_long")
        return said

    def _said(self, template: str, facts: Mapping[str, Any]) -> str:
        return self._words.get_template(template).render(facts)

    def _refuse_unspoken(self, said: str) -> None:
        lower = said.lower()
        if any(word.lower() in lower for word in self._clinic.unspoken):
            raise Unfit("unspoken_word")

    def _facts(self, due: Due, known: Known) -> dict[str, Any]:
        person = known.person
        visit = next((one for one in known.appointments if one.id == due.about), None)
        visit = visit or next(iter(known.appointments), None)
        coverage = next((one for one in known.coverages if one.id == due.about), None)
        return {
            "clinic": self._clinic,
            "name": person.name,
            "in_danger": person.in_danger,
            "insured": person.insured,
            "bring": [
                thing for thing in self._clinic.bring if not (thing.only_if_insured and person.insured is Insured.NO)
            ],
            "visit": self._visit(visit) if visit else None,
            "coverage": self._coverage(coverage) if coverage else None,
        }

    def _visit(self, one: Appointment) -> dict[str, str]:
        zone = ZoneInfo(one.time_zone)
        starts, ends = one.starts_at.astimezone(zone), one.ends_at.astimezone(zone)
        return {
            "kind": self._clinic.visits[one.kind],
            "day": _day(starts),
            "time": _time(starts),
            "end_time": _time(ends),
            "zone": starts.strftime("%Z"),
            "short": f"{starts:%a %b} {starts.day} {_time(starts)} {starts:%Z}",
            "clinician": one.clinician,
            "place": one.place,
        }

    def _coverage(self, one: Coverage) -> dict[str, Any]:
        named = [
            (called, benefit)
            for code, called in self._clinic.services.items()
            for benefit in one.benefits
            if benefit.service_type == code
        ]
        return {
            "payer": one.payer,
            "plan": one.plan,
            "owner": one.owner,
            "asking_again": one.asking_again,
            "service_day": _day(one.service_date) if one.service_date else "the day we asked about",
            "ended_day": _day(one.ended_on) if one.ended_on else None,
            "services": [_service(called, benefit) for called, benefit in named if _known(benefit)],
        }

    def _check(self) -> None:
        """Word every message once, with the longest facts there can be."""
        faults: list[str] = []
        for name, template in self.templates.items():
            for channel in template.channels:
                for known in _samples(name, self._clinic.time_zone):
                    try:
                        self._try(Due("sample", name, channel, "sample"), known)
                    except Unfit as unfit:
                        faults.append(f"  {name} by {channel}: {unfit.cause_code}")
                    except jinja2.TemplateError as error:
                        faults.append(f"  {name} by {channel}: {type(error).__name__}: {error}")
        if faults:
            raise BadClinicFile("templates that cannot be sent:\n" + "\n".join(dict.fromkeys(faults)))

    def _try(self, due: Due, known: Known) -> None:
        if due.channel is Channel.SMS:
            self.text(due, known)
        else:
            self.letter(due, known)


# Facts in words


def _day(day: date) -> str:
    return f"{day:%A, %B} {day.day}, {day.year}"


def _time(moment: datetime) -> str:
    return f"{moment:%I:%M %p}".lstrip("0")


def _known(benefit: Benefit) -> bool:
    """Whether the payer said anything about the patient's share."""
    said = (benefit.covered, benefit.copay, benefit.coinsurance, benefit.deductible, benefit.deductible_remaining)
    return any(one is not None for one in said)


def _service(called: str, benefit: Benefit) -> dict[str, Any]:
    if benefit.covered is False:
        return {"called": called, "known": ["Not covered, the insurer says."], "unknown": []}
    facts = {
        "copay": _money("{} for each visit (copay)", benefit.copay),
        "your percentage of the cost": _percent(benefit.coinsurance),
        "yearly deductible": _money("{} yearly deductible", benefit.deductible),
        "what is left of the deductible": _money("{} of the deductible is left to pay", benefit.deductible_remaining),
    }
    known = [fact for fact in facts.values() if fact]
    if benefit.authorization_required:
        known.append("The insurer wants to approve it first.")
    return {"called": called, "known": known, "unknown": [what for what, fact in facts.items() if fact is None]}


def _money(wording: str, amount: Money | None) -> str | None:
    return None if amount is None else wording.format(amount)


def _percent(share: str | None) -> str | None:
    try:
        return None if share is None else f"{(Decimal(share) * 100).normalize():f} % of the cost (coinsurance)"
    except InvalidOperation:
        return None


# The same words as HTML


@dataclass(frozen=True, slots=True)
class _Block:
    """A paragraph's lines, or a list's items."""

    lines: list[str]
    items: list[str]


def _blocks(text: str) -> list[_Block]:
    blocks: list[_Block] = []
    for paragraph in re.split(r"\n{2,}", text.strip()):
        lines = [line for line in paragraph.splitlines() if not line.startswith("- ")]
        items = [line.removeprefix("- ") for line in paragraph.splitlines() if line.startswith("- ")]
        blocks += [_Block(lines, [])] if lines else []
        blocks += [_Block([], items)] if items else []
    return blocks


# The longest there can be


def _samples(template: str, zone: ZoneInfo) -> list[Known]:
    """People for whom every branch of a template is worded."""
    starts_at = datetime(2026, 9, 30, 10, 45, tzinfo=zone)
    visit = Appointment(
        id="sample",
        version=1,
        kind=next(iter(AppointmentKind)),
        moved=False,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=1),
        time_zone=zone.key,
        clinician="Dr. Sample",
        place="1 Sample Street",
    )
    is_coverage = template.removeprefix("coverage_") in set(CoverageStatus)
    coverages = [_sample_coverage(starts_at.date(), told) for told in (True, False)] if is_coverage else [None]
    return [
        Known(
            Person("sample", name="Sample", in_danger=in_danger, insured=insured),
            () if without_visit and template.startswith("coverage_") else (visit,),
            (coverage,) if coverage else (),
        )
        for in_danger in (True, False)
        for insured in (Insured.YES, Insured.NO)
        for coverage in coverages
        for without_visit in (True, False)
    ]


def _sample_coverage(day: date, told: bool) -> Coverage:
    benefit = Benefit(service_type="30", covered=True, copay=Money(cents=0), coinsurance="0.2")
    return Coverage(
        "sample",
        payer="Sample" if told else None,
        plan="Sample" if told else None,
        service_date=day if told else None,
        ended_on=day if told else None,
        asking_again=told,
        benefits=(benefit,) if told else (),
    )
