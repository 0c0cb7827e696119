"""The deal pipelines of the portal: HubSpot's default one, and one with opaque ids, as every other has."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_SINCE = "2024-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage; ``probability`` is a number as text, 0.0 lost to 1.0 won."""

    id: str
    label: str
    probability: str
    closed: bool = False

    @property
    def entered(self) -> str:
        """The property that says when it was entered: the name holds what is no letter or digit as ``_``, and a number then
        (seen in portals; how the number is made is not known)."""
        plain = re.sub(r"[^a-z0-9_]", "_", self.id)
        return f"hs_v2_date_entered_{plain}" + ("" if plain == self.id else f"_{zlib.crc32(self.id.encode())}")

    @property
    def won(self) -> bool:
        """Whether a deal in it is won."""
        return self.closed and self.probability == "1.0"


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline of deals."""

    id: str
    label: str
    stages: tuple[Stage, ...]


DEFAULT = Pipeline(
    "default",
    "Sales Pipeline",
    (
        Stage("appointmentscheduled", "Appointment Scheduled", "0.2"),
        Stage("qualifiedtobuy", "Qualified To Buy", "0.4"),
        Stage("presentationscheduled", "Presentation Scheduled", "0.6"),
        Stage("decisionmakerboughtin", "Decision Maker Bought-In", "0.8"),
        Stage("contractsent", "Contract Sent", "0.9"),
        Stage("closedwon", "Closed Won", "1.0", closed=True),
        Stage("closedlost", "Closed Lost", "0.0", closed=True),
    ),
)
RENEWALS = Pipeline(
    "727240411",
    "Renewals",
    (
        Stage("1061540881", "In Discussion", "0.5"),
        Stage("1061540882", "Renewed", "1.0", closed=True),
        Stage("8b1f1c6e-2f0d-4a55-9c7e-3d2a6f4b0e91", "Churned", "0.0", closed=True),
    ),
)
PIPELINES: Mapping[str, Pipeline] = {pipeline.id: pipeline for pipeline in (DEFAULT, RENEWALS)}


def stage_of(pipeline: str, stage: str) -> Stage | None:
    """Find a stage of a pipeline."""
    stages = PIPELINES[pipeline].stages if pipeline in PIPELINES else ()
    return next((known for known in stages if known.id == stage), None)


def entered() -> list[str]:
    """Name the properties that say when a stage was entered."""
    return [stage.entered for pipeline in PIPELINES.values() for stage in pipeline.stages]


def describe(pipeline: Pipeline) -> dict[str, Any]:
    """Give a pipeline as the pipelines API does."""
    return {
        "label": pipeline.label,
        "displayOrder": list(PIPELINES).index(pipeline.id),
        "id": pipeline.id,
        "stages": list(_stages(pipeline)),
        "createdAt": _SINCE,
        "updatedAt": _SINCE,
        "archived": False,
    }


def _stages(pipeline: Pipeline) -> Iterator[dict[str, Any]]:
    for place, stage in enumerate(pipeline.stages):
        yield {
            "label": stage.label,
            "displayOrder": place,
            "metadata": {"isClosed": str(stage.closed).lower(), "probability": stage.probability},
            "createdAt": _SINCE,
            "updatedAt": _SINCE,
            "id": stage.id,
            "archived": False,
            "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
        }
