"""The public page: it works without JavaScript, says what is wrong beside the field, and shows help at once."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from tests.intake.photographs import photo
from tests.intake.reception import reception

pytestmark = pytest.mark.engines

ADA = {"name": "Ada <Byron>", "phone": "(330) 555-0123"}
HELP = "You do not have to wait for us."


def position(text: str, page: str) -> int:
    """Where a text stands in a page; fails where it does not."""
    return unescape(page).index(text)


async def test_the_form_asks_without_a_script_or_anything_from_elsewhere(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk:
        answer = await desk.person.get("/")
        assert answer.status_code == 200
        assert "<script" not in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        for address in re.findall(r'(?:href|src|action)="([^"]+)"', answer.text):
            assert address.startswith(("/", "#", "tel:", "sms:")), address
        [style] = re.findall(r'<link rel="stylesheet" href="([^"]+)"', answer.text)
        assert (await desk.person.get(style)).headers["content-type"].startswith("text/css")
        assert (await desk.person.get("/icon.svg")).headers["content-type"] == "image/svg+xml"


async def test_every_field_has_a_label_and_the_box_is_unticked(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk:
        page = (await desk.person.get("/")).text
        fields = re.findall(r'<(?:input|textarea) id="([^"]+)"', page)
        assert len(fields) == len(set(fields)) >= 18
        assert all(f'<label for="{field}">' in page for field in fields)
        assert "checked" not in page
        assert "aria-invalid" not in page


async def test_an_answer_hides_behind_a_redirect_and_names_nobody(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk:
        sent = await desk.send(**ADA, html=True)
        assert sent.status_code == 303
        place = sent.headers["location"]
        [intake] = await desk.rows("SELECT reference, id, patient_id FROM intake")
        assert not any(part in place for part in ("Ada", intake["reference"], intake["id"], intake["patient_id"]))
        for _ in range(2):
            page = (await desk.person.get(place)).text
            assert "We will be in touch shortly" in page
            assert intake["reference"] in page
            assert "(330) 555-0188" in page
            assert "988" in page
            assert "Byron" not in page
            assert HELP not in page
        assert await desk.count("intake") == 1


async def test_whoever_is_in_danger_sees_help_first(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk:
        sent = await desk.send(**ADA, in_danger="yes", html=True)
        page = (await desk.person.get(sent.headers["location"])).text
        assert position(HELP, page) < position("Thank you.", page)


async def test_help_comes_first_even_when_the_form_is_at_fault(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk:
        page = (await desk.send(name="", in_danger="yes", html=True)).text
        assert position(HELP, page) < position("2 things need another look", page)


async def test_faults_stand_beside_their_fields_and_the_rest_is_kept(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk:
        values = {
            "name": 'Ada "<script>" Byron',
            "email": "ada@",
            "birth_date": "1880-01-01",
            "reason": "Since May </textarea>",
            "treatment": "esketamine",
            "consent_texts": "yes",
            "form_id": "a1b2c3",
        }
        answer = await desk.send(**values, html=True, files={"card_front": ("c.jpg", photo(), "image/jpeg")})
        assert answer.status_code == 422
        page = answer.text
        for field in ("phone", "email", "birth_date"):
            assert f'<a href="#{field}">' in page
            assert f'id="{field}-fault"' in page
            assert re.search(rf'id="{field}"[^>]*aria-describedby="[^"]*{field}-fault"[^>]*aria-invalid="true"', page)
        assert 'value="Ada &#34;&lt;script&gt;&#34; Byron"' in page
        assert "Since May &lt;/textarea&gt;" in page
        assert re.search(r'value="esketamine" checked', page)
        assert re.search(r'name="consent_texts"[^>]*checked', page)
        assert 'name="form_id" value="a1b2c3"' in page
        assert page.count("Choose this photo again") == 2
        assert page.index("<title>Error: ") > 0
        assert desk.stored() == []


async def test_a_form_that_cannot_be_read_gets_a_page_with_a_way_on(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk:
        for body, kind, status in [
            (b"x", "multipart/form-data; boundary=y", 400),
            (b"x" * 200_000, "application/json", 413),
        ]:
            answer = await desk.person.post("/", content=body, headers={"Content-Type": kind, "Accept": "text/html"})
            assert answer.status_code == status
            assert "Back to the form" in answer.text
            assert "(330) 555-0188" in answer.text


async def test_a_changed_form_sent_again_is_told_that_the_first_is_here(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk:
        await desk.send(**ADA, form_id="a1", html=True)
        answer = await desk.send(**ADA, reason="One thing more", form_id="a1", html=True)
        assert answer.status_code == 422
        assert "We have your first form already." in answer.text
        assert await desk.count("intake") == 1


async def test_an_unknown_confirmation_is_a_kind_404(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk:
        answer = await desk.person.get("/received/nothing")
        assert answer.status_code == 404
        assert "We do not know this address" in answer.text
