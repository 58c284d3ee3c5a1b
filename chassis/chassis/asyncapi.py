"""What a service says and hears, as an AsyncAPI 3 document made from the event types themselves."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from pydantic.json_schema import models_json_schema

from contracts.event import Event
from contracts.registry import EVENT_TYPES

Document = dict[str, Any]

_SCHEMAS = "#/components/schemas/{model}"

_HEADERS: Document = {
    "type": "object",
    "required": ["ce_id", "ce_type", "ce_source", "ce_time", "ce_subject", "ce_sequence"],
    "properties": {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {"type": "string", "format": "uuid", "description": "UUIDv7; the key by which repeats are known"},
        "ce_type": {"type": "string"},
        "ce_source": {"type": "string"},
        "ce_time": {"type": "string", "format": "date-time", "description": "Clinic time"},
        "ce_subject": {"type": "string", "description": "Whom or what it is about; the record key too"},
        "ce_sequence": {
            "type": "string",
            "pattern": "^[1-9][0-9]*$",
            "description": "Counts from 1 without gaps for each subject within a stream",
        },
        "ce_correlationid": {"type": "string", "description": "The same for all that follows from one cause"},
        "ce_causationid": {"type": "string", "description": "The id of the event that led to this one"},
        "traceparent": {"type": "string", "description": "W3C trace context"},
    },
}


def document(service: str, heard: Iterable[type[Event]], bootstrap: str, topic_prefix: str = "") -> Document:
    """The document of a service: everything on its own stream, and what it hears of others'."""
    said = [event for event in EVENT_TYPES.values() if event.topic() == f"{service}.events"]
    hears = sorted(set(heard), key=lambda event: event.type)
    events = sorted({*said, *hears}, key=lambda event: event.type)
    messages, schemas = _messages(events)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": f"Stillwater {service}",
            "version": "1",
            "description": "CloudEvents 1.0 in Kafka's binary mode. First copies are in order for each subject; "
            "a late copy may follow, so readers tell repeats by `ce_id`.",
        },
        "defaultContentType": "application/json",
        "servers": {"kafka": {"host": bootstrap.split(",")[0], "protocol": "kafka"}},
        "channels": {_stream(topic): _channel(topic_prefix + topic, of) for topic, of in _by_topic(events)},
        "operations": {
            **{f"say_{_stream(topic)}": _operation("send", topic, of) for topic, of in _by_topic(said)},
            **{f"hear_{_stream(topic)}": _operation("receive", topic, of) for topic, of in _by_topic(hears)},
        },
        "components": {"messages": messages, "schemas": {**schemas, "Envelope": _HEADERS}},
    }


def _by_topic(events: Iterable[type[Event]]) -> list[tuple[str, list[type[Event]]]]:
    ordered = sorted(events, key=lambda event: event.type)
    return [(topic, list(of)) for topic, of in groupby(ordered, key=lambda event: event.topic())]


def _stream(topic: str) -> str:
    return topic.partition(".")[0]


def _channel(address: str, events: list[type[Event]]) -> Document:
    return {
        "address": address,
        "messages": {event.type: {"$ref": f"#/components/messages/{event.type}"} for event in events},
        "bindings": {"kafka": {"topic": address}},
    }


def _operation(action: str, topic: str, events: list[type[Event]]) -> Document:
    channel = f"#/channels/{_stream(topic)}"
    return {
        "action": action,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{event.type}"} for event in events],
    }


def _messages(events: list[type[Event]]) -> tuple[Document, Document]:
    bodies, defined = models_json_schema([(event, "serialization") for event in events], ref_template=_SCHEMAS)
    messages = {
        event.type: {
            "name": event.type,
            "title": event.__name__,
            "summary": (inspect.getdoc(event) or "").partition("\n")[0],
            "headers": {"$ref": "#/components/schemas/Envelope"},
            "payload": bodies[event, "serialization"],
            "correlationId": {"location": "$message.header#/ce_correlationid"},
            "bindings": {"kafka": {"key": {"type": "string", "description": "The subject"}}},
        }
        for event in events
    }
    return messages, defined.get("$defs", {})
