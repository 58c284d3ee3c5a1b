"""People are told about their visit: once by each channel, truly, by real SMTP and a carrier that calls back."""

from datetime import timedelta

import httpx
import pytest

from chassis.http import Role
from chassis.service import Service
from contracts.ids import new_event_id
from contracts.intake import RiskFlagged, RiskLevel
from contracts.notify import Channel, MessageDelivered, MessageFailed, MessageSent, ReplyMeaning, ReplyReceived
from sandbox.carrier.signature import sign
from tests.chassis.front_desk import client
from tests.notify.house import (
    EMAIL,
    NOON,
    PHONE,
    TOKEN,
    Settings,
    booked,
    consented,
    house,
    moved,
    registered,
    submitted,
)
from tests.waiting import eventually

pytestmark = pytest.mark.engines


async def test_a_booked_visit_is_told_by_mail_and_by_text(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.say(registered(), consented(), submitted(), booked())
        (letter,) = await clinic.letters(1)
        assert letter["subject"] == "Your visit to Stillwater Clinic on Thursday, March 4, 2027"
        assert letter["headers"]["From"] == "Stillwater Clinic <care@stillwaterclinic.example>"
        for told in (
            "Hello Maria Lopez,",
            "Thursday, March 4, 2027, 9:00 AM to 10:00 AM EST",
            "Stillwater Clinic, 88 Canal Street, Suite 200, Akron, OH 44308",
            "With: Dr. Naomi Feld",
            "a photo ID",
            "your insurance card",
            "a list of the medicines you take",
            "To change or cancel your visit, call (330) 555-0188",
        ):
            assert told in letter["text"]
            assert told in letter["html"]
        (text,) = await clinic.texts(1)
        assert text["body"] == (
            "Stillwater: visit Thu Mar 4 9:00 AM EST, 88 Canal St. Bring ID, insurance card, med list. "
            "Change: 330-555-0188. Reply STOP to opt out"
        )
        assert "ketamine" not in (letter["text"] + text["body"]).lower()
        sent = await clinic.streams.heard(MessageSent, 2)
        assert {one.channel for one in sent} == {Channel.EMAIL, Channel.SMS}
        assert {one.purpose for one in sent} == {"appointment_booked:appointment_1:1"}
        (delivered,) = await clinic.streams.heard(MessageDelivered)
        assert delivered.channel is Channel.SMS
        await clinic.fates(("appointment_booked", "email", "sent"), ("appointment_booked", "sms", "delivered"))


async def test_what_comes_before_its_person_waits_for_them(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.say(booked())
        await clinic.say(booked(id="appointment_other"), patient="patient_2")
        await clinic.say(
            registered(email="other@example.com", phone=None), submitted(coverage_typed=True), patient="patient_2"
        )
        await clinic.letters(1, to="other@example.com")
        assert await clinic.messages() == []
        await clinic.say(registered(), submitted())
        await clinic.letters(1)


async def test_whatever_is_said_twice_is_told_once(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.say(registered(), consented(), submitted())
        event, id = booked(), new_event_id()
        for _ in range(2):
            await clinic.streams.say("patient_1", event, id=id)
        await clinic.say(booked(), registered(), submitted())
        await clinic.say(booked(id="appointment_2"))
        await clinic.texts(2)
        await clinic.letters(2)
        await clinic.streams.heard(MessageSent, 4)
        assert len(await clinic.messages()) == 4
        assert clinic.world.mailbox.letters.accepted == 2
        assert clinic.world.carrier.messages.accepted == 2


async def test_without_consent_there_is_no_text_until_it_is_given(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.say(registered(), submitted(), booked())
        await clinic.letters(1)
        await clinic.fates(("appointment_booked", "email", "sent"))
        await clinic.say(consented())
        await clinic.texts(1)
        assert clinic.world.mailbox.letters.accepted == 1


async def test_somebody_who_cannot_be_written_to_is_left_to_staff(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.say(registered(email=None), submitted(), booked())
        (failed,) = await clinic.streams.heard(MessageFailed)
        assert (failed.channel, failed.cause) == (Channel.PHONE, "no_channel")
        assert failed.purpose == "appointment_booked:appointment_1:1"
        await clinic.say(consented())
        await clinic.texts(1)


async def test_a_person_in_danger_reads_the_crisis_line_first(settings: Settings) -> None:
    async with house(settings) as clinic:
        flagged = RiskFlagged(level=RiskLevel.UNASSESSED, source="intake_form")
        await clinic.say(registered(), consented(), flagged, submitted(in_danger=True), booked(urgent=True))
        (letter,) = await clinic.letters(1)
        assert letter["text"].startswith("If you are in danger")
        assert "Call or text 988" in letter["text"].splitlines()[0]
        (text,) = await clinic.texts(1)
        assert text["body"].startswith("Crisis: call/text 988.")
        assert len(text["body"]) <= 160


async def test_a_text_that_does_not_arrive_is_left_to_staff(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.say(registered(phone="+13305550198"), consented(), submitted(), booked())
        (failed,) = await clinic.streams.heard(MessageFailed)
        assert (failed.channel, failed.cause) == (Channel.SMS, "carrier_30003")
        await clinic.fates(("appointment_booked", "email", "sent"), ("appointment_booked", "sms", "failed"))


async def test_what_the_far_side_refuses_is_not_tried_again(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.behave("mailbox", state="refusing")
        await clinic.say(registered(phone="+15005550009"), consented(), submitted(), booked())
        failed = await clinic.streams.heard(MessageFailed, 2)
        assert {(one.channel, one.cause) for one in failed} == {
            (Channel.EMAIL, "smtp_550"),
            (Channel.SMS, "carrier_21614"),
        }


async def test_what_the_far_side_defers_is_tried_until_it_is_taken(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.behave("mailbox", state="deferring")
        await clinic.behave("carrier", state="throttled")
        await clinic.say(registered(), consented(), submitted(), booked())

        async def both_put_off() -> bool:
            async with clinic.service.database.connection() as connection:
                return await connection.fetchval("SELECT count(*) FROM outside_task WHERE tries > 0") == 2

        await eventually(both_put_off)
        await clinic.behave("mailbox", state="healthy")
        await clinic.behave("carrier", state="healthy")
        await clinic.letters(1)
        await clinic.texts(1)
        await clinic.streams.heard(MessageSent, 2)


async def test_a_message_whose_acceptance_was_not_heard_is_not_decided_again(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.behave("mailbox", state="forgetful")
        await clinic.behave("carrier", state="forgetful")
        await clinic.say(registered(), consented(), submitted(), booked())
        await clinic.letters(1)
        await clinic.texts(1)
        await clinic.behave("mailbox", state="healthy")
        await clinic.behave("carrier", state="healthy")
        await clinic.streams.heard(MessageSent, 2)
        first, second = await clinic.letters(2)
        assert first["message_id"] == second["message_id"]
        assert clinic.world.carrier.messages.accepted == 1


async def test_the_carriers_word_counts_where_our_own_record_was_lost(settings: Settings) -> None:
    async with house(settings, carrier_seconds=0.5) as clinic:
        await clinic.behave("carrier", state="hanging")
        await clinic.say(registered(email=None), consented(), submitted(), booked())
        (message,) = await eventually(clinic.messages)
        status = await _tell(clinic.service, message["message_id"], "delivered")
        assert status == 204
        await clinic.streams.heard(MessageDelivered)
        await clinic.behave("carrier", state="healthy")

        async def ended() -> bool:
            async with clinic.service.database.connection() as connection:
                return await connection.fetchval("SELECT outcome FROM outside_task") == "answered"

        await eventually(ended)
        assert len(await clinic.streams.heard(MessageSent)) == 1
        assert clinic.world.carrier.messages.accepted == 0


@pytest.mark.parametrize(("phone", "fate"), [(PHONE, "delivered"), ("+13305550198", "failed")])
async def test_what_the_carrier_told_while_nobody_listened_is_asked(settings: Settings, phone: str, fate: str) -> None:
    async with house(settings, public_url="http://127.0.0.1:9") as clinic:
        await clinic.say(registered(phone=phone, email=None), consented(), submitted(), booked())
        await clinic.fates(("appointment_booked", "sms", "sent"))
        (text,) = await clinic.texts(1, to=phone)
        clinic.service.clock.travel(timedelta(minutes=1))
        await clinic.fates(("appointment_booked", "sms", fate))
        assert text["sid"] == (await clinic.texts(1, to=phone))[0]["sid"], "asked, and not sent again"


async def test_a_carrier_that_does_not_know_is_asked_again_later(settings: Settings) -> None:
    async with house(settings, public_url="http://127.0.0.1:9") as clinic:
        await clinic.say(registered(email=None), consented(), submitted(), booked())
        await clinic.fates(("appointment_booked", "sms", "sent"))
        (await clinic.outside.delete("/control/carrier/messages")).raise_for_status()
        clinic.service.clock.travel(timedelta(minutes=1))

        async def next_question() -> str | None:
            async with clinic.service.database.connection() as connection:
                return await connection.fetchval("SELECT payload->>'question' FROM timer WHERE name = 'text_unsettled'")

        async def is_the_second() -> bool:
            return await next_question() == "2"

        await eventually(is_the_second)
        await clinic.fates(("appointment_booked", "sms", "sent"))


async def test_a_callback_may_come_twice_late_or_forged(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.say(registered(), consented(), submitted(), booked())
        await clinic.fates(("appointment_booked", "email", "sent"), ("appointment_booked", "sms", "delivered"))
        (text,) = [one for one in await clinic.messages() if one["channel"] == "sms"]
        id = text["message_id"]
        assert await _tell(clinic.service, id, "delivered") == 204
        assert await _tell(clinic.service, id, "undelivered") == 204
        assert await _tell(clinic.service, id, "sent") == 204
        assert await _tell(clinic.service, "message_unheard_of", "delivered") == 204
        assert await _tell(clinic.service, id, "failed", token="a guess") == 403
        await clinic.fates(("appointment_booked", "email", "sent"), ("appointment_booked", "sms", "delivered"))
        assert len(await clinic.streams.heard(MessageDelivered)) == 1


async def test_stop_holds_from_the_moment_it_is_said(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.say(registered(), consented(), submitted(), booked())
        await clinic.texts(1)
        await _reply(clinic.outside, "Please stop texting me!")
        (reply,) = await clinic.streams.heard(ReplyReceived)
        assert (reply.meaning, reply.text) == (ReplyMeaning.STOP, "Please stop texting me!")
        await clinic.say(moved())
        await clinic.letters(2)
        assert [one["template"] for one in await clinic.messages() if one["channel"] == "sms"] == ["appointment_booked"]
        await _reply(clinic.outside, "START")
        await clinic.texts(2)


async def test_a_stop_given_to_the_carrier_is_honoured_and_staff_phones(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.outside.put(f"/control/carrier/numbers/{PHONE}", json={"fate": "opted_out"})
        await clinic.say(registered(email=None), consented(), submitted(), booked())
        failed = await clinic.streams.heard(MessageFailed, 2)
        assert [(one.channel, one.cause) for one in failed] == [
            (Channel.SMS, "carrier_21610"),
            (Channel.PHONE, "no_channel"),
        ]


async def test_nobody_is_texted_at_night_unless_they_are_waiting_for_it(settings: Settings) -> None:
    async with house(settings, now=NOON.replace(hour=23)) as clinic:
        await clinic.say(registered(email=None), consented(), submitted(), booked())
        await clinic.texts(1)
        clinic.service.clock.travel(timedelta(hours=1))
        await clinic.say(moved())
        await clinic.fates(("appointment_booked", "sms", "delivered"), ("appointment_moved", "sms", "waiting"))
        clinic.service.clock.travel(timedelta(hours=8))
        (_, text) = await clinic.texts(2)
        assert "NEW time Wed Mar 3 9:00 AM EST" in text["body"]


async def test_what_no_longer_holds_when_it_is_sent_is_not_said(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.behave("mailbox", state="deferring")
        await clinic.say(registered(), submitted(), booked())
        await clinic.fates(("appointment_booked", "email", "decided"))
        await clinic.say(moved())
        await clinic.fates(("appointment_booked", "email", "decided"), ("appointment_moved", "email", "decided"))
        await clinic.behave("mailbox", state="healthy")
        await clinic.fates(("appointment_booked", "email", "superseded"), ("appointment_moved", "email", "sent"))
        (letter,) = await clinic.letters(1)
        assert letter["subject"] == "Your visit to Stillwater Clinic is now on Wednesday, March 3, 2027"
        assert len(await clinic.streams.heard(MessageSent)) == 1


async def test_staff_sees_what_was_said_billing_that_it_was_and_each_look_is_recorded(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.say(registered(), consented(), submitted(), booked())
        await clinic.streams.heard(MessageSent, 2)
        assert all(one["said"] is None for one in await clinic.messages(Role.BILLING))
        assert all("9:00 AM" in one["said"] for one in await clinic.messages(Role.STAFF, bodies="true"))
        async with client(clinic.service.http, Role.BILLING) as billing:
            assert (await billing.get("/patients/patient_1/messages?bodies=true")).status_code == 403
            page = (await billing.get("/messages", params={"limit": 1})).json()
            rest = (await billing.get("/messages", params={"limit": 1, "before": page["before"]})).json()
            assert rest["before"] is None
            assert {one["channel"] for one in page["messages"] + rest["messages"]} == {"email", "sms"}
            assert (await billing.get("/messages", params={"fate": "failed"})).json()["messages"] == []
        async with client(clinic.service.http) as stranger:
            assert (await stranger.get("/messages")).status_code == 401
            metrics = (await stranger.get("/metrics")).text
        async with client(clinic.service.http, Role.AUDITOR) as auditor:
            looks = (await auditor.get("/access-log", params={"subject": "patient_1"})).json()["accesses"]
        assert {look["what"] for look in looks} == {"messages", "messages_with_words"}
        assert 'stillwater_messages_total{channel="email",fate="sent",template="appointment_booked"} 1.0' in metrics
        assert EMAIL not in metrics


async def _tell(service: Service, message_id: str, status: str, token: str = TOKEN) -> int:
    """A status callback as the carrier would post it."""
    settings = service.settings
    url = f"{settings.public_url}/carrier/status?message={message_id}"
    parameters = {"MessageSid": "SM1", "MessageStatus": status, "To": PHONE}
    async with httpx.AsyncClient() as carrier:
        answer = await carrier.post(url, data=parameters, headers={"X-Twilio-Signature": sign(token, url, parameters)})
    return answer.status_code


async def _reply(outside: httpx.AsyncClient, body: str) -> None:
    answer = await outside.post("/control/carrier/replies", json={"from": PHONE, "to": "+13305550188", "body": body})
    assert answer.json()["webhook_status"] == 200
