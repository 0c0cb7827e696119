"""A model that answers by script, and an extractor that asks it over HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from connector_core.discovery import extractor
from connector_core.extractors.binding import Extractor, bind_extractor
from connector_core.extractors.hookspecs import Answer, WantedField
from connector_core.model import Call
from connector_core.testing.completions import CompletionsServer, completed


@contextmanager
def asking(server: CompletionsServer, **settings: Any) -> Iterator[Extractor]:
    """Bind an extractor to the stand-in, with a key that nobody else has: its count of tokens begins at nothing."""
    given = {"url": server.url, "model": "invented", "api_key": uuid4().hex, **settings}
    with bind_extractor(extractor("openai"), given) as bound:
        yield bound


def answer(value: object, passage: object = None, confidence: object = None) -> dict[str, Any]:
    """Write the answer for one field."""
    return {"value": value, "passage": passage, "confidence": confidence}


def found(call: Call, fields: Sequence[WantedField], *answers: object, **settings: Any) -> Mapping[str, Answer]:
    """Ask for fields of a call, and be answered so for each, in their order."""
    with CompletionsServer() as server, asking(server, **settings) as bound:
        server.script(completed({f"field_{number}": each for number, each in enumerate(answers, start=1)}))
        return bound.extract(call, fields)
