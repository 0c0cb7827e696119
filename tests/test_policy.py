"""One request: retried while it is safe, paced, never waited for longer than patience, and no create sent twice."""

from __future__ import annotations

import contextlib
import datetime as dt
import email.utils
import itertools
import math
import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_core.errors import OutcomeUnknownError, TryAgainError
from connector_core.meter import Cost, Meter
from connector_core.policy import (
    ACCEPT,
    Doubt,
    NoReplyError,
    NotSentError,
    Reply,
    RequestPolicy,
    Verdict,
    Wait,
    retry_after,
)

OK = Reply(200, {}, b"done")
LIMITED = Reply(429, {}, b"")
BROKEN = Reply(503, {}, b"")
NOT_SENT = NotSentError("refused")
NO_REPLY = NoReplyError("reset")


@dataclass
class Time:
    """A clock that only sleeping moves."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.slept.append(seconds)
        self.now += seconds

    def clock(self) -> float:
        """Tell the time."""
        return self.now


class Service:
    """A transport that gives one answer after the other, the last one for ever."""

    def __init__(self, *answers: Reply | Exception) -> None:
        """Take the answers."""
        self._answers = itertools.chain(answers, itertools.repeat(answers[-1]))
        self.sent = 0

    def __call__(self) -> Reply:
        """Answer, or fail."""
        self.sent += 1
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


def judge(reply: Reply) -> Verdict:
    """Read a status as most services mean it."""
    after = retry_after(reply.headers)
    if reply.status == 429:
        return Wait("429", after)
    return Doubt("5xx", after) if reply.status >= 500 else ACCEPT


def asking_for(seconds: float, status: int = 429) -> Reply:
    """Answer with a time to wait."""
    return Reply(status, {"retry-after": str(seconds)}, b"")


def run(policy: RequestPolicy, service: Service, *, repeatable: bool = True, lane: str = "") -> Reply:
    """Send one request."""
    return policy.run(service, judge, repeatable=repeatable, lane=lane)


def policy_in(time: Time, **settings: object) -> RequestPolicy:
    """Make a policy whose time only moves by sleeping."""
    return RequestPolicy(sleep=time.sleep, clock=time.clock, **settings)  # type: ignore[arg-type]  # settings by name


# -- what is sent again ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 207, 400, 401, 404])
def test_an_accepted_answer_is_given_as_it_is(status: int) -> None:
    """Whatever its status, an answer that the judge accepts reaches the caller after one request."""
    service = Service(Reply(status, {"x": "y"}, b"body"))

    assert run(policy_in(Time()), service) == Reply(status, {"x": "y"}, b"body")
    assert service.sent == 1


@pytest.mark.parametrize("repeatable", [True, False])
@pytest.mark.parametrize("failure", [LIMITED, NOT_SENT])
def test_what_was_not_executed_is_sent_again(failure: Reply | Exception, *, repeatable: bool) -> None:
    """A create too is sent again when it surely was not executed."""
    service = Service(failure, failure, OK)

    assert run(policy_in(Time()), service, repeatable=repeatable) is OK


@pytest.mark.parametrize("failure", [BROKEN, NO_REPLY])
def test_a_read_in_doubt_is_sent_again(failure: Reply | Exception) -> None:
    """What does the same when sent twice is sent again, whatever became of the first."""
    assert run(policy_in(Time()), Service(failure, OK)) is OK


@pytest.mark.parametrize("failure", [BROKEN, NO_REPLY])
def test_a_create_in_doubt_is_never_sent_again(failure: Reply | Exception) -> None:
    """A create that may have been executed was sent once, whatever could have come after."""
    service = Service(failure, OK)

    with pytest.raises(OutcomeUnknownError):
        run(policy_in(Time()), service, repeatable=False)
    assert service.sent == 1


@given(st.lists(st.sampled_from([LIMITED, NOT_SENT, BROKEN, NO_REPLY, OK]), min_size=1, max_size=6))
def test_a_create_is_sent_again_only_after_it_was_surely_not_executed(answers: list[Reply | Exception]) -> None:
    """Whatever a service does, every request of a create but the last was surely not executed."""
    service = Service(*answers)

    with contextlib.suppress(OutcomeUnknownError, TryAgainError):
        run(policy_in(Time()), service, repeatable=False)

    assert all(answer in (LIMITED, NOT_SENT) for answer in answers[: service.sent - 1])


@pytest.mark.parametrize("attempts", [1, 2, 4])
def test_attempts_count_the_first_request(attempts: int) -> None:
    """A service that always refuses is asked as often as the policy says."""
    service = Service(LIMITED)

    with pytest.raises(TryAgainError, match="429"):
        run(policy_in(Time(), attempts=attempts), service)
    assert service.sent == attempts


@pytest.mark.parametrize("failure", [BROKEN, NO_REPLY, NOT_SENT, LIMITED])
def test_a_read_that_is_never_answered_may_be_asked_again_later(failure: Reply | Exception) -> None:
    """A read ends as *try again*: nothing of it can have been executed."""
    with pytest.raises(TryAgainError):
        run(policy_in(Time()), Service(failure))


def test_another_exception_of_the_transport_comes_through() -> None:
    """What the transport does not name as one of its two failures is no matter of retries."""
    service = Service(ZeroDivisionError())

    with pytest.raises(ZeroDivisionError):
        run(policy_in(Time()), service)
    assert service.sent == 1


# -- how long is waited ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 503])
def test_the_wait_that_the_service_asks_for_is_kept(status: int) -> None:
    """A number of seconds in Retry-After is what is waited, no more and no less."""
    time = Time()

    run(policy_in(time), Service(asking_for(3, status), asking_for(5, status), OK))

    assert time.slept == [3.0, 5.0]


def test_more_than_patience_is_not_waited_for() -> None:
    """A service that asks for more than the policy's patience is not waited for at all."""
    time = Time()

    with pytest.raises(TryAgainError):
        run(policy_in(time, patience_seconds=10), Service(asking_for(11), OK))
    assert time.slept == []


def test_the_caller_is_told_how_long_the_service_asks_for() -> None:
    """The error carries the wait that the service named, for whoever plans the next attempt."""
    with pytest.raises(TryAgainError) as caught:
        run(policy_in(Time(), patience_seconds=10), Service(asking_for(90)))

    assert caught.value.after_seconds == 90.0


@given(st.lists(st.one_of(st.just(LIMITED), st.integers(0, 40).map(asking_for)), min_size=1, max_size=8))
def test_no_request_is_waited_for_longer_than_patience(answers: list[Reply]) -> None:
    """Whatever the service asks for, all waits of one request together stay within the patience."""
    time = Time()

    with contextlib.suppress(TryAgainError):
        run(policy_in(time, attempts=20, patience_seconds=20), Service(*answers))

    assert sum(time.slept) <= 20


# -- Retry-After -------------------------------------------------------------------------------------------------------

NOW = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": " 7 "}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "0.05"}, 0.05),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e300"}, 86_400.0),
        ({"retry-after": "1e999"}, None),
        ({"retry-after": "7, 9"}, None),
        ({"retry-after": "Mon, 02 Mar 2026 09:00:07.5 GMT"}, None),
        ({"retry-after": "Mon, 02 Mar 99999999999999999999 09:01:30 GMT"}, None),
        ({"retry-after": "Mon, 02 Mar 2026 09:01:30 GMT"}, 90.0),
        ({"retry-after": "Mon, 02 Mar 2026 09:01:30 -0000"}, 90.0),
        ({"retry-after": "Mon, 02 Mar 2026 08:00:00 GMT"}, 0.0),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}, 86_400.0),
    ],
)
def test_retry_after_is_read_as_number_or_date(headers: Mapping[str, str], seconds: float | None) -> None:
    """Seconds and dates are read; what is past is now; what cannot be read is as if it were absent."""
    assert retry_after(headers, NOW.timestamp) == seconds


@given(st.integers(0, 10**6))
def test_a_date_means_the_same_as_its_distance(seconds: int) -> None:
    """A date so many seconds ahead and that number of seconds are read alike."""
    date = email.utils.format_datetime(NOW + dt.timedelta(seconds=seconds), usegmt=True)

    assert retry_after({"retry-after": date}, NOW.timestamp) == retry_after({"retry-after": str(seconds)})


@given(st.text())
def test_no_retry_after_breaks_the_reading(text: str) -> None:
    """Whatever stands in the header, it is a number of seconds that is not negative, or nothing."""
    seconds = retry_after({"retry-after": text}, NOW.timestamp)

    assert seconds is None or 0 <= seconds < math.inf


# -- what is counted ---------------------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from([LIMITED, NOT_SENT, BROKEN, NO_REPLY, OK]), min_size=1, max_size=6), st.booleans())
def test_every_request_that_was_sent_counts_once(answers: list[Reply | Exception], repeatable: bool) -> None:
    """Whatever becomes of them, all tries but those that never left are counted."""
    service = Service(*answers)
    policy = policy_in(Time())
    with contextlib.suppress(OutcomeUnknownError, TryAgainError):
        run(policy, service, repeatable=repeatable)

    given_ = [*answers, *itertools.repeat(answers[-1], service.sent)][: service.sent]
    assert policy.meter.cost.requests == sum(answer is not NOT_SENT for answer in given_)


def test_the_seconds_of_answers_are_counted_and_those_of_waits_are_not() -> None:
    """Three seconds until a failure and two until an answer are five, whatever was waited between."""
    time = Time()
    policy = policy_in(time)
    takes = iter((3.0, 2.0))

    def send() -> Reply:
        seconds = next(takes)
        time.now += seconds
        if seconds == 3.0:
            raise NO_REPLY
        return OK

    policy.run(send, judge, repeatable=True)

    assert policy.meter.cost == Cost(2, 5.0)


def test_no_more_requests_than_allowed_are_in_flight() -> None:
    """Of many threads, only so many send at the same time; all get their answer."""
    policy = RequestPolicy(most_at_once=3)
    most, flying, lock = [0], [0], threading.Lock()
    meet = threading.Barrier(3)

    def send() -> Reply:
        with lock:
            flying[0] += 1
            most[0] = max(most[0], flying[0])
        meet.wait(10)
        with lock:
            flying[0] -= 1
        return OK

    with ThreadPoolExecutor(9) as pool:
        replies = list(pool.map(lambda _: policy.run(send, judge, repeatable=True), range(9)))

    assert (len(replies), most[0]) == (9, 3)


def test_what_forbids_a_create_is_asked_after_the_wait_for_the_requests_in_flight() -> None:
    """Meanwhile the lease may come to its end, or another thread may use the rest of the quota: nothing is sent then."""
    policy, reasons = policy_in(Time()), []

    @contextlib.contextmanager
    def gate() -> Iterator[None]:
        reasons.append("the lease was about to end")  # while it was waited at the gate
        yield

    policy._gate = gate()
    policy.meter.why_not_write = lambda: next(iter(reasons), None)
    service = Service(OK)

    with pytest.raises(TryAgainError, match="about to end"):
        run(policy, service, repeatable=False)
    assert service.sent == 0


def test_what_forbids_to_write_forbids_a_change_too_and_no_read() -> None:
    """A change may be sent twice, and yet not late."""
    policy = policy_in(Time())
    policy.meter.why_not_write = lambda: "the lease was about to end"
    service = Service(OK, OK)

    with pytest.raises(TryAgainError, match="about to end"):
        policy.run(service, judge, repeatable=True, changes=True)
    assert (run(policy, service, repeatable=True).status, service.sent) == (200, 1)


def test_a_rest_is_spread() -> None:
    """Rows that were locked together come back at different times, none of them too early."""
    time = Time()
    policy = policy_in(time)
    for _ in range(20):
        policy.rest(2.0)

    assert all(2.0 <= seconds <= 3.0 for seconds in time.slept)
    assert len(set(time.slept)) > 1


# -- lanes -------------------------------------------------------------------------------------------------------------


def send_many(policy: RequestPolicy, lanes: Iterable[str]) -> None:
    """Send one request in each of these lanes."""
    for lane in lanes:
        run(policy, Service(OK), lane=lane)


def test_a_lane_is_paced_after_its_burst() -> None:
    """A lane of four a second lets four pass at once, and then one every quarter of a second."""
    time = Time()

    send_many(policy_in(time, lanes={"search": 4.0}), ["search"] * 6)

    assert time.slept == [0.25, 0.25]


def test_lanes_are_counted_apart() -> None:
    """What is sent in one lane, or in none, makes nobody wait in another."""
    time = Time()

    send_many(policy_in(time, lanes={"search": 1.0, "read": 1.0}), ["search", "read", "", "", "unheard of"])

    assert time.slept == []


def test_a_lane_fills_again_while_nothing_is_sent() -> None:
    """After a rest, a lane's burst is whole again, and no larger."""
    time = Time()
    policy = policy_in(time, lanes={"search": 2.0})
    send_many(policy, ["search"] * 2)
    time.now += 100

    send_many(policy, ["search"] * 3)

    assert time.slept == [0.5]


def test_a_lane_slower_than_one_a_second_lets_one_pass() -> None:
    """The first request of a slow lane does not wait; the second waits its whole turn."""
    time = Time()

    send_many(policy_in(time, lanes={"search": 0.5}), ["search"] * 2)

    assert time.slept == [2.0]


def test_waiting_for_a_lane_counts_as_waiting() -> None:
    """A request that waited long for its turn is not retried beyond the patience."""
    time = Time()
    policy = policy_in(time, lanes={"slow": 0.1}, patience_seconds=10)
    send_many(policy, ["slow"])
    service = Service(asking_for(1), OK)

    with pytest.raises(TryAgainError):
        run(policy, service, lane="slow")
    assert service.sent == 1


def test_a_turn_beyond_what_is_left_of_the_patience_is_not_waited_for() -> None:
    """What was waited for the service before counts."""
    time = Time()
    service = Service(asking_for(6), OK)

    with pytest.raises(TryAgainError, match="leaves no turn"):
        run(policy_in(time, lanes={"slow": 0.1}, patience_seconds=9), service, lane="slow")
    assert time.slept == [6.0]


def test_a_wait_of_the_whole_patience_is_waited_for() -> None:
    """It is what one is patient for."""
    assert run(policy_in(Time(), patience_seconds=7), Service(asking_for(7), OK)) is OK


def test_a_lane_is_shared_by_threads() -> None:
    """Turns are handed out once each, however many threads ask at the same moment."""
    slept: list[float] = []
    policy = RequestPolicy(sleep=slept.append, clock=lambda: 0.0, lanes={"search": 10.0})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: run(policy, Service(OK), lane="search"), range(30)))

    assert sorted(slept) == pytest.approx([turn / 10 for turn in range(1, 21)])


@pytest.mark.parametrize(("date", "skew"), [("Thu, 01 Jan 1970 00:01:00 GMT", 60.5), ("soon", None), ("", None)])
def test_the_services_time_is_kept(date: str, skew: float | None) -> None:
    """The date of an answer goes to the meter; what is none is passed over."""
    time = Time()
    policy = RequestPolicy(meter=Meter(wall_clock=lambda: 0.0), clock=time.clock, sleep=time.sleep)

    policy.run(lambda: Reply(200, {"date": date}, b""), lambda reply: ACCEPT, repeatable=True)

    assert policy.meter.clock_skew_seconds == skew
