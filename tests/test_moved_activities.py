"""A meeting that is moved in time, by its call's platform or in the CRM, keeps its one activity."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from office import CARL, CRMS, NOBODY, Office, call, office

from connector_core.association import Settings, wants
from connector_core.association.history import History
from connector_core.association.records import Records
from connector_core.model import Written

LATER = "2026-03-02T15:00:00Z"


def activities(at: Office, call_id: str = "x:1") -> list[str]:
    """Give the activities that carry a call's id, as text."""
    return [text for rows in at.records().values() for row in rows if f"ref: {call_id}" in (text := json.dumps(row))]


def move(at: Office, activity_id: str | None) -> None:
    """Move an activity by hand, by some hours."""
    if at.sandbox is None:
        held: Any = at.records()
        held["activities"][0]["started_at"] = LATER
        Path(at.config.settings["path"]).write_text(json.dumps(held))
        return
    end = LATER.replace("00:00Z", "10:00Z")
    name, fields = {
        "salesforce": ("Event", {"StartDateTime": LATER, "EndDateTime": end}),
        "hubspot": (
            "meetings",
            {"hs_timestamp": LATER, "hs_meeting_start_time": LATER, "hs_meeting_end_time": end},
        ),
    }[at.config.crm]
    at.sandbox.patch(name, activity_id or "", fields, delete=False, merge_into=None)


@pytest.mark.parametrize("crm", CRMS)
@pytest.mark.parametrize("guest", [CARL, NOBODY], ids=["matched", "unmatched"])
def test_a_meeting_that_its_platform_moved_is_updated(tmp_path: Path, crm: str, guest: dict[str, Any]) -> None:
    """A richer version of the call says another start: the activity of the first version is found all the same."""
    with office(crm, tmp_path) as at:
        (first,) = at.sync(call(1, guest, kind="meeting"))

        (second,) = at.sync(call(1, guest, kind="meeting", started_at=LATER, summary="said"))

        assert (second.outcome, second.activity_id) == ("updated", first.activity_id)
        assert len(activities(at)) == 1


@pytest.mark.parametrize("crm", CRMS)
@pytest.mark.parametrize("guest", [CARL, NOBODY], ids=["matched", "unmatched"])
def test_a_meeting_that_somebody_moved_in_the_crm_is_not_written_once_more(
    tmp_path: Path, crm: str, guest: dict[str, Any]
) -> None:
    """A refresh finds the activity where it is now."""
    with office(crm, tmp_path) as at:
        (first,) = at.sync(call(1, guest, kind="meeting"))
        move(at, first.activity_id)

        again = at.refresh("x:1")

        assert (again.outcome, again.activity_id) == ("unchanged", first.activity_id)
        assert len(activities(at)) == 1


@pytest.mark.parametrize("crm", CRMS)
def test_a_moved_meeting_that_was_deleted_is_written_anew(tmp_path: Path, crm: str) -> None:
    """What is known and is gone is no activity."""
    with office(crm, tmp_path) as at:
        (first,) = at.sync(call(1, CARL, kind="meeting"))
        if at.sandbox is None:
            held: Any = at.records()
            Path(at.config.settings["path"]).write_text(json.dumps({**held, "activities": []}))
        else:
            objects = {"salesforce": "Event", "hubspot": "meetings"}[crm]
            at.sandbox.patch(objects, first.activity_id or "", {}, delete=True, merge_into=None)

        (second,) = at.sync(call(1, CARL, kind="meeting", started_at=LATER, summary="said"))

        assert second.outcome == "created"


def test_a_plugin_is_told_which_activity_is_known() -> None:
    """Where the connector wrote one before."""
    written = Written("T1", "event")

    wanted = wants(call(1, {"is_user": False}), Records(), Settings(), History(written=written))

    assert wanted.activity is not None
    assert (wanted.activity.known_id, wanted.activity.known_kind) == ("T1", "event")
