"""What must be true at the end of a journey. Pure: what was found in, problems in words out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import combinations, takewhile
from typing import Any

from deploy.local.demo.journeys import Journey

Found = dict[str, Any]


def of_events(journey: Journey, counts: Counter[str]) -> list[str]:
    """Nothing missing, nothing twice, nothing that nobody expected."""
    return [
        f"{event} was said {counts[event]} times instead of {journey.events.get(event, 0)}"
        for event in sorted(journey.events.keys() | counts.keys())
        if counts[event] != journey.events.get(event, 0)
    ]


def of_intake(journey: Journey, patient: Found, name: str, member_id: str | None) -> list[str]:
    if len(patient["intakes"]) != 1:
        return [f"intake has {len(patient['intakes'])} forms of them instead of one"]
    problems: list[str] = []
    one = patient["intakes"][0]
    if patient["name"] != name:
        problems.append("intake knows them by another name")
    if one["card_outcome"] != journey.card:
        problems.append(f"the card was {one['card_outcome']} instead of {journey.card}")
    if len(one["card_sides"]) != (2 if journey.card else 0):
        problems.append(f"{len(one['card_sides'])} sides of a card are kept")
    if journey.coverage and one["member_id"] != member_id:
        problems.append("the member number is not the one on their card")
    return problems


def of_scheduling(journey: Journey, appointments: Sequence[Found]) -> list[str]:
    standing = [one for one in appointments if one["cancelled_at"] is None]
    if len(standing) != 1:
        return [f"{len(standing)} assessments stand instead of one"]
    if standing[0]["urgent"] != journey.urgent:
        return [f"the assessment is {'' if standing[0]['urgent'] else 'not '}urgent"]
    return []


def of_billing(journey: Journey, coverages: Sequence[Found]) -> list[str]:
    if journey.coverage is None:
        return ["a coverage is known that nobody reported"] if coverages else []
    if len(coverages) != 1 or (found := coverages[0]["verification"]) is None:
        return [f"{len(coverages)} coverages are known instead of one, verified"]
    problems: list[str] = []
    if found["outcome"] != journey.coverage:
        problems.append(f"the coverage is {found['outcome']} instead of {journey.coverage}")
    if found["owner"] != journey.owner:
        problems.append(f"the next to act is {found['owner']} instead of {journey.owner}")
    if journey.coverage == "undetermined" and found["asking_again_at"] is None:
        problems.append("the payer is not going to be asked again")
    return problems


def of_notify(messages: Sequence[Found]) -> list[str]:
    problems = [
        f"a message by {one['channel']} is {one['fate']}"
        for one in messages
        if one["fate"] != ("delivered" if one["channel"] == "sms" else "sent")
    ]
    decisions = Counter((one["purpose"], one["channel"]) for one in messages)
    problems += [f"{channel} was decided {n} times for one purpose" for (_, channel), n in decisions.items() if n > 1]
    return problems


def of_letters(journey: Journey, letters: Sequence[Found], texts: Sequence[Found], visit: Found) -> list[str]:
    """Time, place, what to bring and how to change it, and what else is true; and nothing that is not."""
    problems: list[str] = []
    if len(letters) != 2 or len(texts) != 1:
        problems.append(f"{len(letters)} letters and {len(texts)} texts came instead of 2 and 1")
    written = [one["text"] for one in letters]
    at = datetime.fromisoformat(visit["starts_at"])
    clock = f"{at:%I:%M %p}".lstrip("0")
    day = f"{at:%A, %B} {at.day}, {at.year}"
    sent = [one["body"] for one in texts]
    must = (day, clock, "Akron", "a photo ID", "To change or cancel your visit, call", *journey.letters)
    problems += [f"no letter says: {words}" for words in must if not any(words in text for text in written)]
    short = (f"{at:%a %b} {at.day} {clock}", "88 Canal St", "Bring", "Change:", "STOP")
    problems += [f"the text does not say: {words}" for words in short if not all(words in text for text in sent)]
    never = (*journey.never, "ketamine")
    problems += [f"they were told: {words}" for words in never if any(words in text for text in (*written, *sent))]
    return problems


def of_console(journey: Journey, shown: Found) -> list[str]:
    problems: list[str] = []
    if shown["stage"] != "booked":
        problems.append(f"the console shows them as {shown['stage']}")
    state = {"active": "active", "inactive": "inactive", None: None}.get(journey.coverage, "unknown")
    if state is not None and shown["coverage"]["state"] != state:
        problems.append(f"the console shows their coverage as {shown['coverage']['state']}")
    tasks = tuple(sorted(one["kind"] for one in shown["tasks"]))
    if tasks != tuple(sorted(journey.tasks)):
        problems.append(f"the console asks for {', '.join(tasks) or 'nothing'} about them")
    said = Counter(one["type"].split(".")[1] for one in shown["events"])
    if said != Counter(journey.events):
        problems.append("the console's timeline is not what was said")
    return problems


def of_tasks(tasks: Sequence[Found], in_danger: Collection[str]) -> list[str]:
    """Whoever is in danger comes before everybody else on the list of staff."""
    first = {one["patient_id"] for one in takewhile(lambda one: one["kind"] == "in_danger", tasks)}
    return [] if first.issuperset(in_danger) else ["who is in danger does not head the list of staff"]


def of_bookings(standing: Iterable[Found]) -> list[str]:
    """Nobody and nothing is in two places at once."""
    return [
        f"two assessments share {what} at one time"
        for one, other in combinations(list(standing), 2)
        for what in ("clinician", "room")
        if one[what] == other[what] and one["starts_at"] < other["ends_at"] and other["starts_at"] < one["ends_at"]
    ]
