"""The patients over HTTP: who came, who could, and letting some come now."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, Field

from sandbox.patients.arrivals import Arrivals
from sandbox.patients.people import cast


class Visit(BaseModel):
    scenario: str | None = None
    """A key of people.yaml; drawn by weight, if absent."""
    count: int = Field(default=1, ge=1, le=100)


def routes(arrivals: Arrivals) -> APIRouter:
    router = APIRouter(tags=["patients"])

    @router.get("/control/patients")
    async def came(limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> dict[str, Any]:
        """How many came, and the latest of them, newest first."""
        return {"arrived": arrivals.arrived, "patients": list(arrivals.latest)[::-1][:limit]}

    @router.get("/control/patients/cast")
    async def the_cast(seed: int = 1) -> list[dict[str, Any]]:
        """The named cast of a seed: what each puts on the form and what their payer knows."""
        return [
            {
                "scenario": person.scenario,
                "form": person.form_fields(),
                "card": person.card,
                "card_fields": person.card_fields(),
                "membership": person.membership(),
                "seed": person.seed,
            }
            for person in cast(seed)
        ]

    @router.post("/control/patients", status_code=201)
    async def come(visit: Visit) -> list[dict[str, Any]]:
        """Let people come to the clinic now, one after the other."""
        if not arrivals.intake_url:
            raise HTTPException(409, "No intake address is set: STILLWATER_SANDBOX_INTAKE_URL.")
        try:
            people = [
                arrivals.people.with_scenario(visit.scenario) if visit.scenario else next(arrivals.people)
                for _ in range(visit.count)
            ]
        except KeyError:
            raise HTTPException(422, f"No scenario is called {visit.scenario!r}; see people.yaml.") from None
        brought = [(person, await arrivals.bring(person)) for person in people]
        return [
            {
                "scenario": person.scenario,
                "reference": submitted.reference if submitted else None,
                "patient_id": submitted.patient_id if submitted else None,
                "form": person.form_fields(),
            }
            for person, submitted in brought
        ]

    return router
