"""What every service's HTTP does around its own routes."""

import json
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

import pytest
from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from chassis.http import LARGEST_BODY, Actor, Problem, Role, requires
from tests.chassis.front_desk import client, desk

SECRET = "Ophelia-Secret-1984"


class Visit(BaseModel):
    name: str
    born: date
    kind: Literal["infusion", "assessment"]
    reference: UUID


def clinic(**options: object):
    app = desk(**options)  # type: ignore[arg-type]
    rooms = APIRouter(prefix="/rooms")

    @rooms.get("/{room}/chairs/{chair}")
    async def chair(room: str, chair: int) -> dict[str, int]:
        return {"chair": chair}

    @app.post("/visits")
    async def visit(visit: Visit) -> dict[str, str]:
        return {"kind": visit.kind}

    @app.get("/staff-only")
    async def staff_only(actor: Annotated[Actor, requires(Role.STAFF, Role.CLINICIAN)]) -> dict[str, str]:
        return {"actor": actor.name, "role": actor.role}

    @app.get("/crash")
    async def crash() -> None:
        raise RuntimeError(f"could not save {SECRET}")

    @app.get("/half")
    async def half() -> StreamingResponse:
        async def parts():
            yield b"half an ans"
            raise RuntimeError(SECRET)

        return StreamingResponse(parts())

    @app.get("/booked")
    async def booked() -> None:
        raise Problem(409, "The chair is taken", "Choose another time.", [{"field": "time", "message": "is taken"}])

    @app.post("/photos", max_body_size=3 * LARGEST_BODY)
    async def photos(request: Request) -> dict[str, int]:
        return {"bytes": sum([len(part) async for part in request.stream()])}

    app.include_router(rooms)
    return app


async def test_a_request_keeps_the_id_that_it_came_with_and_gets_one_if_it_has_none():
    async with client(clinic()) as somebody:
        theirs = await somebody.get("/livez", headers={"X-Request-ID": "journey-0042"})
        ours = await somebody.get("/livez")
        forged = await somebody.get("/livez", headers={"X-Request-ID": "a b\tc{}"})
    assert theirs.headers["x-request-id"] == "journey-0042"
    assert UUID(ours.headers["x-request-id"])
    assert UUID(forged.headers["x-request-id"])


@pytest.mark.parametrize(
    ("method", "path", "status", "detail"),
    [
        ("GET", "/nowhere", 404, "There is nothing at this address."),
        ("DELETE", "/visits", 405, "This address takes POST."),
        ("GET", "/booked", 409, "Choose another time."),
    ],
)
async def test_every_refusal_is_a_problem_document(method: str, path: str, status: int, detail: str):
    async with client(clinic()) as somebody:
        answer = await somebody.request(method, path)
    problem = answer.json()
    assert answer.status_code == problem["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["detail"] == detail
    assert problem["request_id"] == answer.headers["x-request-id"]


async def test_a_refusal_names_the_fields_at_fault():
    async with client(clinic()) as somebody:
        problem = (await somebody.get("/booked")).json()
    assert problem["title"] == "The chair is taken"
    assert problem["errors"] == [{"field": "time", "message": "is taken"}]


async def test_what_does_not_fit_is_named_with_what_is_accepted_and_never_repeated():
    sent = {"name": {"first": SECRET}, "born": SECRET, "kind": SECRET, "reference": SECRET}
    async with client(clinic()) as somebody:
        answer = await somebody.post("/visits", json=sent)
    assert answer.status_code == 422
    assert SECRET not in answer.text
    messages = {error["field"]: error["message"] for error in answer.json()["errors"]}
    assert messages == {
        "name": "Input should be a valid string",
        "born": "Input should be a valid date, YYYY-MM-DD",
        "kind": "Input should be 'infusion' or 'assessment'",
        "reference": "Input should be a valid UUID",
    }


async def test_a_body_that_is_not_json_is_said_to_be_so():
    async with client(clinic()) as somebody:
        answer = await somebody.post("/visits", content=SECRET, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert SECRET not in answer.text
    assert answer.json()["errors"][0]["message"] == "The body should be valid JSON"


async def test_a_crash_tells_the_client_its_request_id_and_the_log_its_place_and_neither_the_text(
    capsys: pytest.CaptureFixture[str],
):
    async with client(clinic()) as somebody:
        answer = await somebody.get("/crash")
    assert answer.status_code == 500
    assert answer.json() == {
        "title": "Something went wrong here",
        "status": 500,
        "request_id": answer.headers["x-request-id"],
    }
    written = capsys.readouterr().err
    assert SECRET not in written
    failure = next(line for line in map(json.loads, written.splitlines()) if line["event"] == "request_failed")
    assert failure["fault"]["error"] == "RuntimeError"
    assert failure["fault"]["at"][-1].startswith("tests/chassis/test_http.py:")
    assert failure["request_id"] == answer.headers["x-request-id"]


async def test_half_an_answer_does_not_pass_for_a_whole_one():
    async with client(clinic()) as somebody:
        with pytest.raises(RuntimeError):
            await somebody.get("/half")


async def test_requests_are_timed_and_logged_by_the_template_of_their_route(capsys: pytest.CaptureFixture[str]):
    async with client(clinic()) as somebody:
        await somebody.get(f"/rooms/{SECRET}/chairs/3")
        await somebody.get(f"/{SECRET}")
        await somebody.request("BREW", "/visits")
        metrics = (await somebody.get("/metrics")).text
    counted = {line for line in metrics.splitlines() if "_count" in line}
    prefix = "stillwater_http_request_duration_seconds_count"
    assert f'{prefix}{{method="GET",route="/rooms/{{room}}/chairs/{{chair}}",status="200"}} 1.0' in counted
    assert f'{prefix}{{method="GET",route="unmatched",status="404"}} 1.0' in counted
    assert f'{prefix}{{method="other",route="/visits",status="405"}} 1.0' in counted
    written = capsys.readouterr().err
    assert SECRET not in metrics + written
    lines = [line for line in map(json.loads, written.splitlines()) if line["event"] == "request"]
    assert [line["route"] for line in lines] == ["/rooms/{room}/chairs/{chair}", "unmatched", "/visits"]


@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_above_the_limit_is_refused_with_the_limit_named(announced: bool):
    async def parts():
        for _ in range(LARGEST_BODY // 65536 + 1):
            yield b"x" * 65536

    content = b"x" * (LARGEST_BODY + 1) if announced else parts()
    async with client(clinic()) as somebody:
        answer = await somebody.post("/visits", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == "At most 1,048,576 bytes are accepted at this address."


async def test_a_large_body_that_no_route_reads_is_refused_as_a_problem_too():
    async with client(clinic()) as somebody:
        answer = await somebody.post("/nowhere", content=b"x" * (LARGEST_BODY + 1))
    assert answer.status_code == 413
    assert answer.json()["title"] == "The body is too large"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_route_that_takes_photos_has_its_own_limit():
    async with client(clinic()) as somebody:
        fits = await somebody.post("/photos", content=b"x" * (2 * LARGEST_BODY))
        too_much = await somebody.post("/photos", content=b"x" * (3 * LARGEST_BODY + 1))
    assert fits.json() == {"bytes": 2 * LARGEST_BODY}
    assert too_much.status_code == 413


async def test_every_answer_protects_itself_and_what_a_person_sees_is_kept_nowhere():
    async with client(clinic(), Role.STAFF) as staff:
        answer = await staff.get("/staff-only")
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


async def test_a_service_says_whether_it_lives_and_why_it_makes_no_progress():
    async with client(desk(not_ready=["relay: no round ended well for 12 s"])) as somebody:
        alive = await somebody.get("/livez")
        ready = await somebody.get("/readyz")
    assert alive.status_code == 200
    assert ready.status_code == 503
    assert ready.json() == {"ready": False, "reasons": ["relay: no round ended well for 12 s"]}
    async with client(desk()) as somebody:
        assert (await somebody.get("/readyz")).json() == {"ready": True, "reasons": []}


async def test_the_description_names_the_bearer_scheme_and_the_problems():
    async with client(clinic(), Role.BILLING) as billing:
        described = (await billing.get("/openapi.json")).json()
    assert described["info"]["title"] == "Stillwater desk"
    assert described["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
    assert "HTTPBearer" in described["paths"]["/staff-only"]["get"]["security"][0]
    assert set(described["paths"]["/visits"]["post"]["responses"]) == {"200", "default"}
    problem = described["paths"]["/visits"]["post"]["responses"]["default"]["content"]["application/problem+json"]
    assert problem["schema"]["$ref"] == "#/components/schemas/Problem"
    assert described["components"]["schemas"]["Problem"]["properties"]["errors"]
    assert "HTTPValidationError" not in described["components"]["schemas"]
