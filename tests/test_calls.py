"""Reading calls: what is refused, with which words, and what is kept."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector_core.calls import Calls, read_calls
from connector_core.model import Call

CALL: dict[str, Any] = {
    "id": "aircall:1",
    "provider": "aircall",
    "kind": "phone",
    "started_at": "2026-03-02T09:00:00Z",
    "participants": [],
}
FULL: dict[str, Any] = CALL | {
    "direction": "outbound",
    "status": "completed",
    "title": "Discovery call",
    "ended_at": "2026-03-02T09:30:00Z",
    "duration_seconds": 1800,
    "talk_seconds": 1740.5,
    "from_number": "+33176360695",
    "to_number": "+33612345678",
    "outcome": "Connected",
    "organizer": {"name": "Ada Agent", "email": "ada@seller.example"},
    "participants": [
        {"name": "Ada Agent", "emails": ["ada@seller.example"], "is_user": True},
        {"name": "Carl", "emails": ["carl@buyer.example"], "phones": ["06"], "is_user": False, "attended": True},
    ],
    "link": "https://calls.example/1",
    "recording_url": None,
    "topics": ["pricing"],
    "summary": "…",
    "highlights": ["…"],
    "notes": [{"text": "…", "author": "Ada Agent", "at": "2026-03-02T09:31:00Z"}],
    "comments": [{"text": "…", "author": "Manager", "at": "2026-03-02T10:00:00+02:00"}],
    "tags": ["demo"],
    "teams": ["Mid-market"],
    "transcript": [{"speaker": "Carl", "at_seconds": 12.5, "text": "…"}],
}
BOM = b"\xef\xbb\xbf"
OPTIONAL = sorted(set(FULL) - set(CALL))


def line(**changes: Any) -> bytes:
    """Write the smallest call with changes; ``...`` leaves a key out."""
    return json.dumps({key: value for key, value in (CALL | changes).items() if value is not ...}).encode()


def said(*lines: bytes) -> list[str]:
    """Give the messages about lines."""
    return [str(problem) for problem in read_calls(lines).problems]


def test_the_whole_call_of_the_formats_page_is_read() -> None:
    """Every key of the formats page is taken."""
    read = read_calls([json.dumps(FULL).encode()])
    assert read.problems == []
    assert read.calls[0].model_dump(mode="json", exclude_unset=True)["transcript"] == FULL["transcript"]


@pytest.mark.parametrize("key", OPTIONAL)
def test_an_optional_key_may_be_null(key: str) -> None:
    """Null stands for absent, for every optional key."""
    assert said(json.dumps(FULL | {key: None}).encode()) == []


@pytest.mark.parametrize("key", OPTIONAL)
def test_an_optional_key_may_be_absent(key: str) -> None:
    """A call is read without any one of its optional keys."""
    assert said(json.dumps({name: value for name, value in FULL.items() if name != key}).encode()) == []


def test_status_is_completed_unless_said() -> None:
    """A call without status, or with null, is completed."""
    assert {call.status for call in read_calls([line(), line(id="b", status=None)]).calls} == {"completed"}


@pytest.mark.parametrize("key", list(CALL))
def test_a_required_key_is_missed_by_name(key: str) -> None:
    """A missing required key is told by its name."""
    assert said(line(**{key: ...})) == [f"line 1: {key}: is required"]


TIME = "should be a time with an offset, like Z or +02:00"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"started_at": "2026-03-02T09:00:00"}, f"started_at: {TIME}"),
        ({"ended_at": "2026-03-02T09:00:00"}, f"ended_at: {TIME}"),
        ({"notes": [{"text": "…", "at": "2026-03-02T09:00:00"}]}, f"notes.0.at: {TIME}"),
        ({"started_at": "2026-03-02"}, "started_at: should be an ISO 8601 date and time with an offset"),
        ({"started_at": 1772442000}, "started_at: should be an ISO 8601 date and time with an offset"),
        ({"started_at": "0001-01-01T00:00:00Z"}, "started_at: should be in a year from 1900 to 2999"),
        ({"ended_at": "9999-12-31T23:59:59Z"}, "ended_at: should be in a year from 1900 to 2999"),
        ({"ended_at": "2026-03-02T08:59:59Z"}, "ended_at: should not be before started_at"),
        ({"ended_at": "2026-03-02T10:59:00+02:00"}, "ended_at: should not be before started_at"),
        ({"duration_seconds": -1}, "duration_seconds: should be greater than or equal to 0"),
        ({"talk_seconds": -0.5}, "talk_seconds: should be greater than or equal to 0"),
        ({"duration_seconds": "1800"}, "duration_seconds: should be a number"),
        ({"duration_seconds": True}, "duration_seconds: should be a number"),
        ({"duration_seconds": 1e12}, "duration_seconds: should be less than or equal to 1000000000"),
        (
            {"transcript": [{"text": "…", "at_seconds": -1}]},
            "transcript.0.at_seconds: should be greater than or equal to 0",
        ),
        ({"kind": "fax"}, "kind: should be 'phone' or 'meeting'"),
        ({"direction": "up"}, "direction: should be 'inbound', 'outbound' or 'internal'"),
        ({"status": "done"}, "status: should be 'completed', 'missed', 'voicemail', 'cancelled' or 'failed'"),
        ({"id": ""}, "id: should not be empty"),
        ({"id": "a\nb"}, "id: should be one line without blanks around it"),
        ({"id": "x" * 501}, "id: should have 500 characters at most"),
        ({"id": 7}, "id: should be text"),
        ({"organizer": {}}, "organizer: should have a name or an email"),
        ({"organizer": {"name": " ", "email": ""}}, "organizer: should have a name or an email"),
        ({"organizer": "Ada"}, "organizer: should be an object"),
        ({"participants": None}, "participants: should be a list"),
        ({"participants": [{}]}, "participants.0.is_user: is required"),
        ({"participants": [{"is_user": None}]}, "participants.0.is_user: should be true or false"),
        ({"participants": [{"is_user": "false"}]}, "participants.0.is_user: should be true or false"),
        ({"participants": [{"is_user": 0}]}, "participants.0.is_user: should be true or false"),
        (
            {"participants": [{"is_user": False, "attended": "yes"}]},
            "participants.0.attended: should be true or false",
        ),
        ({"participants": [{"is_user": False, "emails": "a@b.c"}]}, "participants.0.emails: should be a list"),
        ({"participants": [{"is_user": False, "emails": ["a@b.c", 5]}]}, "participants.0.emails.1: should be text"),
        ({"participants": [{"is_user": False, "mail": "x"}]}, "participants.0.mail: is an unknown key"),
        ({"titel": "x"}, "titel: is an unknown key"),
        ({"a\nb": 1}, r"a\nb: is an unknown key"),
        ({"\ud800": 1}, r"\ud800: is an unknown key"),
        ({"title": "\ud800"}, "title: is text with a character that is none (half of a surrogate pair)"),
        ({"tags": ["\udfff"]}, "tags.0: is text with a character that is none (half of a surrogate pair)"),
    ],
)
def test_a_bad_value_is_told_with_its_path(changes: dict[str, Any], problem: str) -> None:
    """Each rule of the formats page that is broken is told by path, in words."""
    assert said(line(**changes)) == [f"line 1: {problem}"]


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"[1]", "is no JSON object"),
        (b"null", "is no JSON object"),
        (b'"text"', "is no JSON object"),
        (b"{", "is no JSON: Expecting property name enclosed in double quotes (character 2)"),
        (b"\xff\xfe{", "is no UTF-8 (byte 1)"),
        (b"[" * 200_000, "is nested too deeply"),
        (b'{"a":' * 200_000, "is nested too deeply"),
        (b'{"duration_seconds": NaN}', "is no JSON: NaN is no number"),
        (b'{"duration_seconds": -Infinity}', "is no JSON: -Infinity is no number"),
        (b'{"duration_seconds": ' + b"9" * 5000 + b"}", "holds a number that is too long"),
    ],
)
def test_what_is_no_object_is_told_without_a_path(raw: bytes, problem: str) -> None:
    """A line that is no JSON object is a problem of its own."""
    assert said(raw) == [f"line 1: {problem}"]


def test_infinity_written_as_a_number_is_refused() -> None:
    """A number beyond what a float holds is no duration."""
    raw = line()[:-1] + b', "duration_seconds": 1e999}'
    assert said(raw) == ["line 1: duration_seconds: should be a finite number"]


def test_a_key_that_stands_twice_is_refused_by_path() -> None:
    """Of two equal keys in one object none is believed."""
    raw = line()[:-1] + b', "organizer": {"name": "Ada", "name": "Eve"}}'
    assert said(raw) == ["line 1: organizer.name: stands twice"]


def test_everything_wrong_with_a_line_is_told() -> None:
    """One problem does not hide another."""
    assert said(line(kind="fax", x=1)) == [
        "line 1: kind: should be 'phone' or 'meeting'",
        "line 1: x: is an unknown key",
    ]


def test_a_line_with_very_many_problems_is_cut_short() -> None:
    """After twenty problems only their number is told."""
    assert said(line(participants=[{}] * 50))[20:] == ["line 1: and 30 more problems"]


def test_lines_are_counted_as_they_stand() -> None:
    """Blank lines are passed over, and counted."""
    assert said(b"\n", line(), b" \t\r\n", b"nonsense\n")[0].startswith("line 4: is no JSON")


def test_a_byte_order_mark_and_carriage_returns_are_passed_over() -> None:
    """Files of any editor are read."""
    read = read_calls([BOM + line() + b"\r\n", line(id="b") + b"\r\n"])
    assert [call.id for call in read.calls] == ["aircall:1", "b"]


def test_a_bad_line_keeps_no_other_from_being_read() -> None:
    """The calls around a bad line are all there."""
    read = read_calls([line(id="a"), b"{", line(id="c")])
    assert ([call.id for call in read.calls], [problem.line for problem in read.problems]) == (["a", "c"], [2])


def test_the_later_of_two_lines_with_one_id_takes_the_place_of_the_earlier() -> None:
    """Order is that of the first line, content that of the last, and it is told."""
    read = read_calls([line(id="a", title="old"), line(id="b"), line(id="a", title="new")])
    assert [(call.id, call.title) for call in read.calls] == [("a", "new"), ("b", None)]
    assert [str(replaced) for replaced in read.replaced] == [
        "line 3: a again: it replaces the earlier line with this id"
    ]


def test_an_invalid_line_replaces_nothing() -> None:
    """A bad line with the id of a good one leaves it as it is."""
    read = read_calls([line(id="a", title="old"), line(id="a", title=5)])
    assert ([call.title for call in read.calls], read.replaced) == (["old"], [])


def test_a_line_of_fifty_megabytes_is_one_problem() -> None:
    """Size alone never ends the reading."""
    big = line(x="y" * 50_000_000)
    assert said(big, line(id="b")) == ["line 1: x: is an unknown key"]


def test_no_message_shows_the_value_that_was_refused() -> None:
    """An address in the wrong place stays out of the messages."""
    assert "carl" not in " ".join(said(line(kind="carl@buyer.example", participants=["carl@buyer.example"])))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(list(FULL)), inner, max_size=2),
    max_leaves=4,
)
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def accounted(read: Calls, lines: list[bytes]) -> bool:
    """Tell whether each line that is not blank became a call, or replaced one, or is told."""
    numbers = {problem.line for problem in read.problems} | {replaced.line for replaced in read.replaced}
    filled = [raw for number, raw in enumerate(lines) if (raw if number else raw.removeprefix(BOM)).strip()]
    return len(read.calls) + len(numbers) == len(filled)


@UNHURRIED
@given(st.lists(st.binary() | st.sampled_from([line(), line(id="b"), BOM, b"{}", b"\r\n"]), max_size=5))
def test_any_bytes_are_read_or_told(lines: list[bytes]) -> None:
    """No bytes make reading fail, and nothing is lost in silence."""
    assert accounted(read_calls(lines), lines)


@UNHURRIED
@given(st.dictionaries(st.sampled_from(list(FULL)) | st.text(max_size=5), JSON, max_size=3))
def test_any_json_is_read_or_told(changes: dict[str, Any]) -> None:
    """No values of a call's keys make reading fail, and every message is one line that can be written anywhere."""
    read = read_calls([json.dumps(FULL | changes).encode()])
    assert len(read.calls) + bool(read.problems) == 1
    assert all(str(problem).isprintable() and str(problem).encode() for problem in read.problems)


def test_reading_from_a_file_reads_each_line(tmp_path: Any) -> None:
    """An open file is such lines."""
    path = tmp_path / "calls.jsonl"
    path.write_bytes(line(id="a") + b"\n" + line(id="b") + b"\n")
    with path.open("rb") as file:
        assert [call.id for call in read_calls(file).calls] == ["a", "b"]


# -- times in Python


def night(**times: Any) -> Call:
    """Make a call of the night in which the clocks of Paris are set back, at three."""
    start = dt.datetime(2026, 10, 25, 2, 50, tzinfo=ZoneInfo("Europe/Paris"))
    return Call(id="x:1", provider="x", kind="phone", started_at=start, participants=(), **times)


def test_a_call_lasts_as_long_as_it_says_when_the_clocks_are_set_back() -> None:
    """Its start in a zone of Python's own counts as an instant, not by the clock on the wall."""
    assert night(duration_seconds=1800).end == dt.datetime(2026, 10, 25, 1, 20, tzinfo=dt.UTC)


def test_a_call_may_end_at_an_earlier_time_of_day_when_the_clocks_are_set_back() -> None:
    """Ten past two for the second time is twenty minutes after ten to three."""
    end = dt.datetime(2026, 10, 25, 2, 10, fold=1, tzinfo=ZoneInfo("Europe/Paris"))

    assert night(ended_at=end).length_seconds == 1200
