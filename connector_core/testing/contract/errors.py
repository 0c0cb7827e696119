"""Clauses on what fails: told apart, asked again where that is right, and never answered as *nobody*."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from connector_core.errors import (
    ConnectorError,
    CredentialsError,
    MissingRightError,
    TryAgainError,
)
from connector_core.manifest import load
from connector_core.model import ActivityDraft, Unknown
from connector_core.references import is_secret
from connector_core.testing.cassettes import Fault
from connector_core.testing.contract.activities import FIND
from connector_core.testing.contract.clauses import clause
from connector_core.testing.contract.crm import Crm
from connector_core.testing.contract.reads import CARLA, EMAIL, Emails
from connector_core.testing.contract.wording import BrokenClauseError
from connector_core.testing.contract.writing import WRITE, Creating, draft, many

LOOK_UP = Emails.test_an_address_finds_its_person
CREATE = Creating.test_what_was_created_is_recognised
MOST_TRIES = 6
LIMIT = Fault("answer", 429, {"retry-after": "7"})
SHORT_SECONDS = 0.3
_ALWAYS = 1_000


def impatient(crm: Crm) -> dict[str, Any]:
    """Set a short time-out."""
    model = load(crm.manifest.settings, of=f"plugin {crm.manifest.name}")
    if "timeout_seconds" not in model.model_fields:
        raise BrokenClauseError("  the settings have no timeout_seconds: nothing says when a request is given up")
    return {"timeout_seconds": SHORT_SECONDS}


def asked(crm: Crm) -> Any:
    """Look Carla up: the answer, as the world's ids, or the error."""
    try:
        answer = crm.connection.find_contacts_by_email([CARLA])[CARLA]
    except ConnectorError as error:
        return error
    return answer if isinstance(answer, Unknown) else crm.shown(answer)


def told(answer: Any) -> str:
    """Name what came, for a comparison: the error's class, ``unknown``, or the ids."""
    if isinstance(answer, ConnectorError):
        return type(answer).__name__
    return "unknown" if isinstance(answer, Unknown) else str(answer)


def raised(answer: Any, *wanted: type[ConnectorError]) -> str:
    """Name what came, for a comparison: the wanted errors where it is one of them, else what it is and says."""
    if isinstance(answer, wanted):
        return named(*wanted)
    return f"{told(answer)}: {answer}" if isinstance(answer, ConnectorError) else told(answer)


def named(*wanted: type[ConnectorError]) -> str:
    """Name the wanted errors."""
    return " or ".join(it.__name__ for it in wanted)


class Errors:
    """Of look-ups."""

    @clause("C-ERROR-1", EMAIL, plays=LOOK_UP)
    def test_refused_credentials_are_told(self, crm: Crm) -> None:
        """Credentials that are refused (401) raise CredentialsError, and are not tried over and over."""
        with crm.troubled(Fault("answer", 401), always=True) as server:
            answer = asked(crm)
            crm.expect(raised(answer, CredentialsError), named(CredentialsError), "what was raised")
            crm.expect(len(server.requests) <= MOST_TRIES, True, f"{len(server.requests)} requests are few")

    @clause("C-ERROR-2", EMAIL, plays=LOOK_UP)
    def test_a_missing_right_is_told(self, crm: Crm) -> None:
        """A refused right (403) raises MissingRightError or CredentialsError."""
        with crm.troubled(Fault("answer", 403), always=True):
            wanted = (MissingRightError, CredentialsError)
            crm.expect(raised(asked(crm), *wanted), named(*wanted), "what was raised")

    @clause("C-ERROR-3", EMAIL, plays=LOOK_UP)
    def test_a_path_that_is_gone_is_not_nobody(self, crm: Crm) -> None:
        """A path of the service that is gone (404) raises an error, and is not answered as nobody."""
        with crm.troubled(Fault("answer", 404), always=True):
            answer = asked(crm)
            crm.expect(
                isinstance(answer, ConnectorError | Unknown),
                True,
                f"that it raised an error; it answered {told(answer)}",
            )

    @clause("C-ERROR-4", EMAIL, plays=LOOK_UP)
    def test_a_limit_is_waited_for(self, crm: Crm) -> None:
        """A limit (429) is waited for, as long as Retry-After says, and the answer follows."""
        with crm.troubled(LIMIT) as server:
            crm.expect(told(asked(crm)), told(("C1",)))
            crm.expect(server.slept, [7.0], "the waits, in seconds")

    @clause("C-ERROR-5", EMAIL, plays=LOOK_UP)
    def test_a_limit_that_stays_is_told(self, crm: Crm) -> None:
        """A limit that stays raises TryAgainError with the service's own wait, after a few tries."""
        with crm.troubled(LIMIT, always=True) as server:
            answer = asked(crm)
            crm.expect(raised(answer, TryAgainError), named(TryAgainError), "what was raised")
            crm.expect(getattr(answer, "after_seconds", None), 7.0, "its wait, in seconds")
            crm.expect(len(server.requests) <= MOST_TRIES, True, f"{len(server.requests)} requests are few")

    @clause("C-ERROR-6", EMAIL, plays=LOOK_UP)
    def test_a_long_limit_is_told_at_once(self, crm: Crm) -> None:
        """A limit that asks for an hour raises TryAgainError at once, and nothing waits."""
        with crm.troubled(Fault("answer", 429, {"retry-after": "3600"}), always=True) as server:
            answer = asked(crm)
            crm.expect(getattr(answer, "after_seconds", told(answer)), 3600.0, "the wait of the error")
            crm.expect(server.slept, [], "the waits, in seconds")

    @clause("C-ERROR-7", EMAIL, plays=LOOK_UP)
    def test_a_passing_failure_is_asked_again(self, crm: Crm) -> None:
        """A look-up that failed once, with 503 or a connection that broke, is asked again and answered."""
        for fault in (Fault("answer", 503), Fault("reset")):
            with crm.troubled(fault):
                crm.expect(told(asked(crm)), told(("C1",)), f"after {fault.kind} {fault.status}")

    @clause("C-ERROR-8", EMAIL, plays=LOOK_UP)
    def test_a_failure_that_stays_is_told(self, crm: Crm) -> None:
        """A look-up that fails over and over, with 500 or broken connections, raises TryAgainError after a few tries."""
        for fault in (Fault("answer", 500), Fault("reset")):
            with crm.troubled(fault, always=True) as server:
                crm.expect(told(asked(crm)), "TryAgainError", f"after {fault.kind} {fault.status}, over and over")
                crm.expect(len(server.requests) <= MOST_TRIES, True, f"{len(server.requests)} requests are few")

    @clause("C-ERROR-9", EMAIL, plays=LOOK_UP)
    def test_silence_is_given_up(self, crm: Crm) -> None:
        """A look-up without an answer is given up after the setting timeout_seconds, and asked again."""
        with crm.troubled(Fault("silence"), settings=impatient(crm)) as server:
            crm.expect(told(asked(crm)), told(("C1",)))
            first = [it.fault for it in server.requests if it.index == 0]
            crm.expect(first, ["silence", None], "the request that met silence, and was sent again")

    @clause("C-ERROR-10", EMAIL, plays=LOOK_UP)
    def test_a_web_page_is_no_answer(self, crm: Crm) -> None:
        """A web page with status 200, as a proxy or a maintenance sends it, is no answer, and never nobody."""
        with crm.troubled(Fault.page(200), always=True):
            crm.expect(told(asked(crm)), "TryAgainError")

    @clause("C-ERROR-11", EMAIL, plays=LOOK_UP)
    def test_what_cannot_be_read_is_no_answer(self, crm: Crm) -> None:
        """An empty answer, half of one, or one that is no JSON is no answer, and never nobody."""
        for fault in (Fault.nothing(200), Fault("half"), Fault.garbage(200)):
            with crm.troubled(fault, always=True):
                crm.expect(told(asked(crm)), "TryAgainError", f"after {fault.kind} {fault.body!r}")

    @clause("C-ERROR-12", EMAIL, plays=LOOK_UP)
    def test_errors_tell_no_secrets(self, crm: Crm) -> None:
        """The message of an error holds no e-mail address and no secret of the settings, whatever the service says."""
        said = {"message": f"{CARLA} is refused", "errorCode": "REFUSED", "category": "REFUSED", "error": CARLA}
        for status, body in itertools.product((400, 401, 403, 500), (said, [said], {"errors": [said]})):
            with crm.troubled(Fault.json(status, body), always=True):
                text = str(asked(crm))
                secrets = [str(value) for name, value in crm.stage.settings.items() if is_secret(name)]
                crm.expect([it for it in (CARLA, *secrets) if it in text], [], f"what the error of a {status} tells")


class LostAnswers:
    """Of creates: what was sent and not answered may have been written."""

    @clause("C-LOST-1", WRITE, FIND, plays=CREATE)
    def test_a_broken_connection_is_unknown(self, crm: Crm) -> None:
        """A create whose connection broke is answered as unknown, and not sent again."""
        _expect_unknown(crm, Fault("reset"))

    @clause("C-LOST-2", WRITE, FIND, plays=CREATE)
    def test_a_failing_service_is_unknown(self, crm: Crm) -> None:
        """A create that was answered with 500 is answered as unknown, and not sent again."""
        _expect_unknown(crm, Fault("answer", 500))

    @clause("C-LOST-3", WRITE, FIND, plays=CREATE)
    def test_silence_is_unknown(self, crm: Crm) -> None:
        """A create that was not answered in time is answered as unknown, and not sent again."""
        _expect_unknown(crm, Fault("silence"))

    @clause("C-LOST-4", WRITE, FIND, plays=CREATE)
    def test_half_an_answer_is_unknown(self, crm: Crm) -> None:
        """A create of whose answer half came is answered as unknown, and not sent again."""
        _expect_unknown(crm, Fault("half"))

    @clause("C-LOST-5", WRITE, FIND, plays=CREATE)
    def test_a_limit_is_no_doubt(self, crm: Crm) -> None:
        """A create that met a limit (429) was not executed: it is sent again, and created."""
        results = list(_each_request(crm, LIMIT))
        crm.expect(results, [("created", 2)] * max(1, len(results)), "the outcome, and how often the request was sent")

    @clause("C-LOST-6", WRITE, FIND, plays=CREATE)
    def test_what_did_not_arrive_is_no_doubt(self, crm: Crm) -> None:
        """A create whose connection was refused did not arrive: it is deferred, or raises TryAgainError; never unknown."""
        results: list[tuple[str, str | None]] = []
        answers = 1
        while len(results) < answers and not (results and results[-1][0] == "created"):
            with crm.troubled(Fault("refused", before=len(results))) as server:
                results += _results(crm, [draft(crm)])
            answers = server.answers
        doubts = [it for it in results[:-1] or results if it[0] not in ("deferred", "TryAgainError")]
        crm.expect(doubts, [], "outcomes and reasons, where more and more was answered before")
        crm.expect(results[-1][0], "created", "the outcome where all that creates was answered")

    @clause("C-LOST-7", WRITE, plays=Creating.test_a_large_batch_is_written_whole)
    def test_what_was_written_before_a_failure_is_told(self, crm: Crm) -> None:
        """Where a later request of a batch fails (429, or a broken connection), what was created before is told."""
        results = [list(_each_failing(crm, fault)) for fault in (Fault("reset"), LIMIT)]
        doubts = [place for place, outcomes in enumerate(results[0]) if "unknown" in outcomes]
        first = min(doubts, default=len(results[0]))
        later = [outcomes for each in results for outcomes in each[first + 1 :]]
        wrong = [it for it in later if not {"created"} <= it <= {"created", "deferred", "unknown"}]
        crm.expect(wrong, [], "outcomes where a request failed that was not the first one to create")


def _expect_unknown(crm: Crm, fault: Fault) -> None:
    """Let each request of a create meet a fault in turn: what creates is unknown, all others may be sent again."""
    results = list(_each_request(crm, fault))
    crm.expect(
        ("unknown", 1) in results, True, f"one request in doubt is sent once; outcomes and times sent: {results}"
    )
    others = [it for it in results if it != ("unknown", 1)]
    right = {"created", "deferred", "TryAgainError"}
    crm.expect([it for it in others if it[0] not in right], [], "requests that look up, and fail otherwise")


def _each_request(crm: Crm, fault: Fault) -> Iterator[tuple[str, int]]:
    """Give, for each request of a create that meets the fault, the outcome, and how often it was sent."""
    settings = impatient(crm) if fault.kind == "silence" else None
    for place in itertools.count():
        with crm.troubled(replace(fault, before=place), settings=settings) as server:
            (outcome,) = _outcomes(crm, [draft(crm)])
            times = sum(it.index == place for it in server.requests)
        if not times:
            return
        yield outcome, times


def _each_failing(crm: Crm, fault: Fault) -> Iterator[set[str]]:
    """Give, for requests of a large batch that fail whenever they are sent, the outcomes: the first ones, then fewer."""
    place, answers = 0, 1
    while place < answers:
        with crm.troubled(replace(fault, before=place, times=_ALWAYS)) as server:
            yield _outcomes(crm, many(crm))
        place, answers = place + 1 + place // 4, server.answers


def _outcomes(crm: Crm, drafts: Sequence[ActivityDraft]) -> set[str]:
    """Write drafts: their outcomes, or the error."""
    return {outcome for outcome, _ in _results(crm, drafts)}


def _results(crm: Crm, drafts: Sequence[ActivityDraft]) -> set[tuple[str, str | None]]:
    """Write drafts: their outcomes and reasons, or the error and what it says."""
    try:
        return {(it.outcome, it.reason) for it in crm.connection.write_activity(drafts).values()}
    except ConnectorError as error:
        return {(type(error).__name__, str(error))}
