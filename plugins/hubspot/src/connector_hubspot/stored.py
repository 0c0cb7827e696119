"""Properties of records, as they are now: a hundred records of an object in a request (guide to objects, "batch/read").

Values are text. One that is empty is null; a property that is not there, or that the app may not see, is left out of the
answer, and fails nothing. A record that was merged away is answered by the one that is left, under the other id.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from connector_core.errors import MissingRightError
from connector_core.model import RecordFields, Unknown
from connector_hubspot.client import HubSpotClient
from connector_hubspot.failures import BatchRefusedError
from connector_hubspot.reading import BATCH, Record, cut, ids_only, results_of, unanswered

Key: TypeAlias = tuple[str, str]
Values: TypeAlias = Mapping[str, str | None]

_OBJECT = re.compile(r"[a-z0-9_-]+", re.IGNORECASE)


def read(client: HubSpotClient, records: Sequence[RecordFields]) -> dict[Key, tuple[Values, ...] | Unknown]:
    """Read properties; of an object that is not there, or that the app may not read, nothing is known.

    :raises ConnectorError: HubSpot could not be asked.
    """
    found: dict[Key, Record | Unknown] = {}
    for obj in sorted({it.object for it in records if _OBJECT.fullmatch(it.object)}):
        own = [it for it in records if it.object == obj]
        names = sorted({name for it in own for name in it.fields})
        for chunk in cut(ids_only(it.id for it in own), BATCH):
            found |= {(obj, key): record for key, record in _batch(client, obj, chunk, names).items()}
    return {(it.object, it.id): _answer(found.get((it.object, it.id)), it.fields) for it in records}


def _batch(client: HubSpotClient, obj: str, keys: Sequence[str], names: Sequence[str]) -> dict[str, Record | Unknown]:
    body = {"properties": list(names), "inputs": [{"id": key} for key in keys]}
    try:
        answer = client.post("/crm/objects/{version}/{object}/batch/read", body, object=obj)
    except (BatchRefusedError, MissingRightError) as error:
        return dict.fromkeys(keys, Unknown(f"{obj}: {error}"))
    problems = {key: Unknown(f"HubSpot did not answer ({code})") for key, code in unanswered(answer, keys).items()}
    return {**problems, **{str(record["id"]): record for record in results_of(answer)}}


def _answer(found: Record | Unknown | None, names: Sequence[str]) -> tuple[Values, ...] | Unknown:
    if found is None:
        return ()
    if isinstance(found, Unknown):
        return found
    held = found.get("properties") or {}
    return ({name: held[name] or None for name in names if name in held},)
