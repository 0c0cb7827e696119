"""No more tokens are spent in a day than the settings allow."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_model import asking
from wanted import field, said

from connector_core import policy
from connector_core.errors import TryAgainError
from connector_core.extractors.budget import DailyTokens
from connector_core.testing.completions import CompletionsServer, completed, failed
from connector_core.testing.sandbox import Response

DAY = 86_400.0
CALL = said("Hello.")
FIELD = field("t.f")


def test_what_is_spent_is_not_spent_twice() -> None:
    """Until the next day, in UTC; the error says when that is."""
    now = [DAY - 60]
    tokens = DailyTokens(lambda: now[0])
    tokens.reserve(700, 1_000)

    with pytest.raises(TryAgainError, match="the 1000 tokens of this day are spent") as caught:
        tokens.reserve(400, 1_000)
    assert caught.value.after_seconds == 60

    now[0] = DAY
    tokens.reserve(400, 1_000)


def test_what_was_not_needed_is_given_back() -> None:
    """A request takes less than it may."""
    tokens = DailyTokens(lambda: 0.0)
    tokens.settle(tokens.reserve(900, 1_000), 100)

    tokens.reserve(900, 1_000)


def test_what_was_reserved_yesterday_is_none_of_today() -> None:
    """A request that ends after midnight gives nothing back to the new day."""
    now = [0.0]
    tokens = DailyTokens(lambda: now[0])
    reserved = tokens.reserve(900, 1_000)
    now[0] = DAY
    tokens.reserve(500, 1_000)
    tokens.settle(reserved, 0)

    with pytest.raises(TryAgainError):
        tokens.reserve(501, 1_000)


def test_a_request_that_is_larger_than_a_day_is_told() -> None:
    """Waiting does not help: no time is named."""
    with pytest.raises(TryAgainError, match="more than the 1000 of a day") as caught:
        DailyTokens(lambda: 0.0).reserve(1_001, 1_000)
    assert caught.value.after_seconds is None


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), max_size=30))
def test_never_more_than_the_limit(requests: list[tuple[int, int]]) -> None:
    """Whatever was reserved and taken in fact, of those that took no more than they reserved."""
    tokens, spent = DailyTokens(lambda: 0.0), 0
    for reserved, took in requests:
        try:
            held = tokens.reserve(reserved, 1_000)
        except TryAgainError:
            assert spent + reserved > 1_000
        else:
            tokens.settle(held, min(took, reserved))
            spent += min(took, reserved)
    assert spent <= 1_000


def test_threads_share_the_limit() -> None:
    """Of many at once, as many are sent as the day allows."""
    tokens = DailyTokens(lambda: 0.0)

    def reserve(_: int) -> bool:
        try:
            tokens.reserve(100, 1_000)
        except TryAgainError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(reserve, range(64))) == 10


def test_a_spent_day_sends_nothing() -> None:
    """What the endpoint said it took counts."""
    with CompletionsServer() as server, asking(server, tokens_per_day=20_000) as bound:
        server.script(completed({}, tokens=19_000))
        bound.extract(CALL, [FIELD])
        with pytest.raises(TryAgainError, match="the 20000 tokens of this day are spent"):
            bound.extract(CALL, [FIELD])

        assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("answered", "sent"),
    [
        (completed({}, tokens=10), 9),
        (completed({}, tokens=None), 2),
        (completed({}, tokens=-5), 2),
        (failed(400, "content_filter"), 9),
    ],
)
def test_what_is_not_told_counts_as_the_most_that_it_may_be(answered: Response, sent: int) -> None:
    """An answer that says no usage, or a wrong one; what was refused took nothing."""
    with CompletionsServer() as server, asking(server, most_tokens=4_000, tokens_per_day=11_000) as bound:
        server.script(*[answered] * 9)
        for _ in range(9):
            try:
                bound.extract(CALL, [FIELD])
            except TryAgainError:
                break

        assert len(server.asked) == sent


def test_what_was_never_sent_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint that cannot be reached costs nothing, however often it is tried."""
    monkeypatch.setattr(policy, "wait", lambda seconds: None)
    with CompletionsServer() as server:
        pass
    with (
        asking(server, tokens_per_day=11_000, retries=8) as bound,
        pytest.raises(TryAgainError, match="cannot be reached"),
    ):
        bound.extract(CALL, [FIELD])


def test_connections_with_one_key_share_the_count() -> None:
    """The bill is the account's."""
    with CompletionsServer() as server, asking(server, api_key="shared", tokens_per_day=20_000) as one:
        server.script(completed({}, tokens=19_000))
        one.extract(CALL, [FIELD])
        with asking(server, api_key="shared", tokens_per_day=20_000) as other, pytest.raises(TryAgainError):
            other.extract(CALL, [FIELD])
        with asking(server, tokens_per_day=20_000) as foreign:
            assert foreign.extract(CALL, [FIELD]) == {"t.f": None}
