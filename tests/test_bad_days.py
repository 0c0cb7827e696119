"""Days on which a CRM fails: each is told in its own words, nothing is lost, and nothing is written twice."""

from __future__ import annotations

import functools
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
from bad_day import APP, CHANGE, CREATE, CRMS, LOOK_UP, TOKEN, bad_day, calls, connected, once_each, outcomes, sandbox

from connector_core.sync import SyncResult
from connector_core.testing.server import SandboxServer

PAGE = "<html><body><h1>Back soon</h1></body></html>"
PRIVATE = re.compile(r"@|\+?33\s?6|639\s?98|sandbox-|pat-na1|Bearer|00D\w+!")
NOT_THERE = "it may have been sent, and is not there"


@dataclass(frozen=True)
class Trouble:
    """What the CRM does to some of its requests for as long as it lasts, and how a person is told."""

    name: str
    where: str
    does: dict[str, Any]
    says: str
    outcome: str = "deferred"
    settings: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """Name it."""
        return f"{self.name} to a {self.where}"


def answered(status: int, body: object = None, **headers: str) -> dict[str, Any]:
    """Answer this, and do nothing."""
    return {"status": status, "body": body, "headers": {name.replace("_", "-"): text for name, text in headers.items()}}


ANSWERS = {
    "429": (answered(429, {}, Retry_After="2"), r"429\W.*ask again in 2 s"),
    "429 for an hour": (answered(429, {}, Retry_After="3600"), r"429\W.*ask again in 3600 s"),
    "500": (answered(500, PAGE), r"answered (status )?500"),
    "503": (answered(503, PAGE), r"answered (status )?503"),
    "a web page": (answered(200, PAGE), r"answered (status )?200 with a web page"),
    "nothing": (answered(200), r"answered (status )?200 with nothing"),
    "garbage": (answered(200, "\x00\x01 garbage {"), r"answered (status )?200 with what is no JSON"),
    "half an answer": (answered(200, '{"results": [{"id": "1'), r"answered (status )?200 with what is no JSON"),
    "another shape": (
        answered(200, {"hello": "world"}),
        r"something else|no complete results|without a\S* (access_)?token|number of rows|does not say what became",
    ),
}
SILENCE = {"delay_seconds": 30}
HASTE = {"timeout_seconds": 0.2}
TROUBLES = [
    *(Trouble(name, "look-up", does, says) for name, (does, says) in ANSWERS.items()),
    *(Trouble(name, "sign-in", does, says) for name, (does, says) in ANSWERS.items()),
    *(
        Trouble(name, "create", does, says if name.startswith("429") else f"(?:{says}).*{NOT_THERE}")
        for name, (does, says) in ANSWERS.items()
    ),
    Trouble("a closed line", "look-up", {"drop_after_commit": True}, r"did not answer \(\w*Error"),
    Trouble("silence", "look-up", SILENCE, r"did not answer \(ReadTimeout", settings=HASTE),
    Trouble("silence", "sign-in", SILENCE, r"did not answer \(ReadTimeout", settings=HASTE),
    Trouble("silence", "create", SILENCE, rf"did not answer.*{NOT_THERE}", settings=HASTE),
    Trouble("a closed line", "create", {"drop_after_commit": True}, "", outcome="created"),
]
REQUESTS = {"look-up": LOOK_UP, "sign-in": TOKEN, "create": CREATE}


@dataclass(frozen=True)
class Lived:
    """What came of a trouble: while it lasted, and when it was over."""

    during: list[SyncResult]
    after: list[SyncResult]
    written: Counter[str]
    errors: list[str]


@functools.cache
def lived(crm: str, place: int) -> Lived:
    """Sync while the trouble lasts, and once more when it is over."""
    trouble = TROUBLES[place]
    with SandboxServer(sandbox(crm)) as server:
        settings = {**server.settings, **APP[crm], "settle_seconds": 0}
        with connected(crm, server.url, {**settings, **trouble.settings}) as day:
            day.service.faults({"match": REQUESTS[trouble.where][crm], "do": trouble.does})
            during = day.sync()
            errors = [str(error) for error in day.heard.errors]
        with connected(crm, server.url, settings) as day:
            day.service.faults()
            return Lived(during, day.sync(), day.service.written, errors)


on_each_crm = pytest.mark.parametrize("crm", CRMS)
in_each_trouble = pytest.mark.parametrize("place", range(len(TROUBLES)), ids=map(str, TROUBLES))


@on_each_crm
@in_each_trouble
def test_a_trouble_is_told_in_words_of_its_own(crm: str, place: int) -> None:
    """Each call says what the CRM did; where it is known what became of the call, there is nothing to say."""
    trouble = TROUBLES[place]
    told = {(result.outcome, bool(re.search(trouble.says, result.reason or ""))) for result in lived(crm, place).during}

    assert told == {(trouble.outcome, True)}


@on_each_crm
@in_each_trouble
def test_when_the_trouble_is_over_each_call_is_written_once(crm: str, place: int) -> None:
    """Whatever was sent while it lasted."""
    after = lived(crm, place)

    assert (set(outcomes(after.after)) <= {"created", "unchanged"}, after.written) == (True, once_each())


@on_each_crm
@in_each_trouble
def test_no_error_holds_an_address_a_number_or_a_token(crm: str, place: int) -> None:
    """Errors end up in logs."""
    assert [text for text in lived(crm, place).errors if PRIVATE.search(text)] == []


@on_each_crm
def test_no_two_of_the_usual_troubles_sound_alike(crm: str) -> None:
    """Web page, nothing, garbage, a limit, a long limit, 500, 503, silence, a line that closes."""
    usual = {str(trouble): place for place, trouble in enumerate(TROUBLES) if trouble.where == "look-up"}
    del usual["half an answer to a look-up"]  # as good as garbage

    said = {lived(crm, place).during[0].reason for place in usual.values()}
    assert len(said) == len(usual)


# -- not known is not none ---------------------------------------------------------------------------------------------

NO_ANSWERS = [
    answered(503, PAGE),
    answered(200, {"hello": "world"}),
    answered(200, []),
    answered(400, {}),
    answered(200, {"status": "PENDING", "results": []}),
    answered(207, {"results": [], "numErrors": 1, "errors": [{"category": "STRANGE", "message": "no"}]}),
]
OBJECTS = ("Contact", "Lead", "Task", "Event", "Opportunity", "TaskStatus")


def look_ups(crm: str, journal: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Match each kind of look-up by itself, as far as the CRM has addresses for them."""
    if crm == "salesforce":
        return [{"path": "*/composite", "body": f"*FROM {name} WHERE*"} for name in OBJECTS]
    return [{"path": path} for path in sorted({entry["path"] for entry in journal}) if "/create" not in path]


@on_each_crm
@pytest.mark.parametrize("does", NO_ANSWERS, ids=lambda does: str(does["status"]))
def test_a_look_up_that_fails_never_passes_for_nothing_found(crm: str, does: dict[str, Any]) -> None:
    """Whichever it is: a call waits, or is associated with what it would have been."""
    with bad_day(crm) as day:
        day.sync()
        wanted, rules = day.service.links, look_ups(crm, day.service.get("journal"))
    for rule in rules:
        with bad_day(crm) as day:
            day.service.faults({"match": rule, "do": does})
            day.sync()

            assert day.service.links.items() <= wanted.items(), rule


# -- limits ------------------------------------------------------------------------------------------------------------


@on_each_crm
@pytest.mark.parametrize("request_of", [LOOK_UP, CREATE], ids=["look-up", "create"])
def test_a_short_limit_is_waited_for(crm: str, request_of: dict[str, Any]) -> None:
    """429 twice, with the wait that the CRM asks for; then all is written, once."""
    with bad_day(crm) as day:
        day.service.faults({"match": request_of[crm], "times": 2, "do": answered(429, {}, Retry_After="7")})

        assert (set(outcomes(day.sync())), day.service.written, day.waits) == ({"created"}, once_each(), [7.0, 7.0])


@on_each_crm
def test_a_wait_beyond_patience_is_not_waited_for(crm: str) -> None:
    """One request of each look-up of people, by e-mail and by phone, and no more."""
    with bad_day(crm, **APP[crm]) as day:
        day.service.faults({"match": LOOK_UP[crm], "do": answered(429, {}, Retry_After="3600")})
        day.sync()

        assert (day.service.asked() - day.service.asked("token"), day.waits) == (2, [])


# -- answers that are lost ---------------------------------------------------------------------------------------------


@on_each_crm
def test_a_create_that_is_done_after_the_time_out_is_not_sent_again(crm: str) -> None:
    """It settles first, and is then found."""
    with bad_day(crm, timeout_seconds=0.3, settle_seconds=1.0) as day:
        day.service.faults({"match": CREATE[crm], "times": 2, "do": {"commit_late_seconds": 0.6}})

        assert (set(outcomes(day.sync(sleep=time.sleep))), day.service.written) == ({"created"}, once_each())


@on_each_crm
def test_what_a_search_does_not_show_yet_is_not_sent_again(crm: str) -> None:
    """The answer is lost and the index lags: what was written is found through the people of the call."""
    with bad_day(crm) as day:
        day.service.faults(
            {"match": CREATE[crm], "times": 2, "do": {"drop_after_commit": True}},
            {"do": {"index_lag_seconds": 60}},
        )

        assert (set(outcomes(day.sync())), day.service.written) == ({"created"}, once_each())


@on_each_crm
@pytest.mark.parametrize("does", [answered(503, PAGE), answered(200, []), answered(200, {"results": [{"id": "1"}]})])
def test_a_create_that_was_not_done_is_sent_again(crm: str, does: dict[str, Any]) -> None:
    """The answer is an error, or has another number of rows: none of it is there, so all is sent once more."""
    with bad_day(crm) as day:
        day.service.faults({"match": CREATE[crm], "times": 1, "do": does})

        assert (set(outcomes(day.sync())), day.service.written) == ({"created"}, once_each())


@on_each_crm
def test_what_cannot_be_looked_for_stays_unknown(crm: str) -> None:
    """The answer to the create is lost, and so is each look-up after it: the call says so, and is not sent again."""
    with bad_day(crm) as day:
        day.service.faults({"match": CREATE[crm], "do": {"drop_after_commit": True}})

        def break_down(_seconds: float) -> None:
            day.service.faults({"do": answered(503, PAGE)})

        results = day.sync(sleep=break_down)
        day.service.faults()

        assert (
            {(it.outcome, "may have been written" in (it.reason or "")) for it in results},
            day.service.written,
        ) == (
            {("unknown", True)},
            once_each(),
        )


LOOK_ALIKE = {
    "id": "T1",
    "kind": "call",
    "person_ids": ["C0"],
    "started_at": "2026-03-01T09:05:00Z",
    "duration_seconds": 1800,
    "title": "Typed by hand",
    "body": "My own words.",
}


@on_each_crm
@pytest.mark.parametrize(
    "rule",
    [
        {"times": 1, "do": {"drop_after_commit": True}},
        {"times": 1, "do": answered(503, PAGE)},
        {"times": 1, "do": answered(200, PAGE)},
        {"times": 4, "do": {"drop_after_commit": True}},
        {"times": 4, "do": answered(503, PAGE)},
    ],
    ids=["lost once", "503 once", "web page once", "lost for long", "503 for long"],
)
def test_a_change_is_made_once_whatever_becomes_of_its_answer(crm: str, rule: dict[str, Any]) -> None:
    """A call that somebody typed in gets our part once, and no second one is made."""
    with bad_day(crm, activities=[LOOK_ALIKE]) as day:
        day.service.faults({"match": CHANGE[crm], **rule})
        during = day.sync()
        day.service.faults()
        after = day.sync()

        assert {during[0].outcome, after[0].outcome} <= {"updated", "deferred", "unchanged"}
        assert (after[0].settled, day.service.written) == (True, once_each())


# -- no service --------------------------------------------------------------------------------------------------------


@on_each_crm
def test_a_service_that_is_not_there_is_named(crm: str) -> None:
    """Nobody listens: calls are put off, and written once somebody does."""
    held = sandbox(crm)
    with SandboxServer(held) as server:
        settings, port = server.settings, int(server.url.rpartition(":")[2])
    with connected(crm, server.url, {**settings, "settle_seconds": 0}) as day:
        during = day.sync()
        with SandboxServer(held, port=port):
            after = day.sync()
            written = day.service.written

    assert {(result.outcome, "cannot be reached" in (result.reason or "")) for result in during} == {("deferred", True)}
    assert (set(outcomes(after)), written) == ({"created"}, once_each())


# -- all at once -------------------------------------------------------------------------------------------------------

MANY = calls(60)


@on_each_crm
@pytest.mark.parametrize("share", [0.1, 0.3, 0.6])
def test_troubles_at_random_lose_nothing_and_write_nothing_twice(crm: str, share: float) -> None:
    """Sixty calls, three syncs through errors, limits, lost answers and locked rows, one when all is well."""
    with bad_day(crm, people=61, **APP[crm]) as day:
        rules = [
            {"times": 1, "match": LOOK_UP[crm], "do": {"index_lag_seconds": 60}},
            {"share": share / 2, "do": answered(503, PAGE)},
            {"share": share / 2, "do": answered(200, PAGE)},
            {"share": share, "do": answered(429, {}, Retry_After="0")},
            {"share": share, "match": CREATE[crm], "do": {"drop_after_commit": True}},
            {"share": share, "match": CREATE[crm], "do": {"row_error": "UNABLE_TO_LOCK_ROW"}},
        ]
        day.service.faults(*rules, {"times": 1, "share": share, "do": {"expire_session": True}})
        for _ in range(3):
            day.sync(MANY)
        day.service.faults()
        last = day.sync(MANY)

        assert (set(outcomes(last)) <= {"created", "unchanged"}, day.service.written) == (True, once_each(MANY))
