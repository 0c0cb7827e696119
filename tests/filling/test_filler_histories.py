"""Whatever calls say, people do, and wherever a process dies: what a person wrote in the CRM is never overwritten."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fill_office import NEXT_STEP, USER, FillOffice, fill_office, said
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector_core.errors import InputError
from connector_core.filler import Filler
from connector_core.ledger.retention import Retention

NUMBERS = st.integers(1, 3)
STEPS = st.one_of(
    st.tuples(st.just("say"), NUMBERS, st.sampled_from(["call", "quote", "visit"])),
    st.tuples(st.just("edit"), st.sampled_from(["theirs", "hers", None])),
    st.tuples(st.just("send"), NUMBERS),
    st.tuples(st.just("undo"), NUMBERS),
    st.tuples(st.just("again"), NUMBERS),
    st.tuples(st.just("give"), NUMBERS),
    st.tuples(st.just("publish"), st.sampled_from(["automatic", "manual"])),
    st.tuples(st.just("prune"), st.just(0)),
    st.tuples(st.just("die"), st.sampled_from(["noted", "sent"])),
)


class History:
    """One office with one field, and what a person wrote there last."""

    def __init__(self, at: FillOffice, overwrite: str = "ours", *, watching: bool = True) -> None:
        """Begin with nothing."""
        self.at = at
        self.overwrite = overwrite
        self.watching = watching
        self.edited = False
        self.wrote = False
        self.die_at: str | None = None

    def take(self, step: tuple[Any, ...]) -> None:
        """Take a step, let the filling go on, and see that it left alone what a person wrote."""
        before = self.at.value()
        match step:
            case ("say", number, text):
                list(self.at.at.sync(said(f"next: {text}", number)))
            case ("edit", value):
                self.at.edit(value)
                before, self.edited = value, True
            case ("die", point):
                self.die_at = point
            case ("publish", mode):
                self.at.publish({**NEXT_STEP, "mode": mode, "overwrite": self.overwrite})
            case ("prune", days):
                Retention(self.at.at.ledger.database).prune(days)
            case (verb, number):
                self._decide(verb, f"x:{number}")
        undone = step[0] == "undo"
        self.fill()
        after = self.at.value()
        if self.watching and after != before:
            assert undone or not self.edited or (before is None and not self.wrote), f"{before} became {after}"
            self.edited = after in ("theirs", "hers")
            self.wrote = self.wrote or after is not None

    def _decide(self, verb: str, call_id: str) -> None:
        try:
            if verb == "undo":
                for run in {row.run for row in self.at.rows(call_id) if row.run}:
                    self.at.desk.undo(USER, run)
            elif verb == "send":
                self.at.desk.send(USER, [call_id])
            elif verb == "give":
                self.at.desk.give(USER, call_id, {"t.next_step": "given"})
            else:
                self.at.desk.again(USER, [call_id])
        except InputError:
            pass  # there is no such call yet, or nothing left to take back

    def fill(self) -> None:
        """Let the filling go on until nothing is due, once more from where the process died."""
        if self.die_at is not None and not self._survives(self.die_at):
            self.die_at = None
        for number in (1, 2, 3):  # those that were left in doubt are due later: a person may ask for them now
            self._decide("again", f"x:{number}")
        self.at.filler.run()

    def _survives(self, point: str) -> bool:
        def die(reached: str) -> None:
            if reached == point:
                raise KeyboardInterrupt

        try:
            Filler(self.at.at.ledger, self.at.opened, reached=die).run()
        except KeyboardInterrupt:
            return False
        return True


@contextmanager
def opened() -> Iterator[FillOffice]:
    """Open an office in a folder of its own: Hypothesis opens many in one test."""
    with tempfile.TemporaryDirectory() as folder, fill_office("file", Path(folder)) as at:
        yield at


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEPS, min_size=1, max_size=12), st.sampled_from(["automatic", "manual"]))
def test_a_persons_edit_is_never_overwritten(steps: list[tuple[Any, ...]], mode: str) -> None:
    """By ``ours``, the default; and each call's field has exactly one outcome in the end."""
    with opened() as at:
        at.publish({**NEXT_STEP, "mode": mode})
        history = History(at)
        for step in steps:
            history.take(step)

        heard = {f"x:{step[1]}" for step in steps if step[0] == "say"}
        rows = at.at.ledger.fillings.of("acme", sorted(heard))
        assert [row.call_id for row in rows] == sorted(heard)
        assert {row.outcome for row in rows} <= {"sent", "pending", "other"}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEPS, min_size=1, max_size=8), st.sampled_from(["ours", "empty", "always"]))
def test_filling_twice_changes_nothing(steps: list[tuple[Any, ...]], overwrite: str) -> None:
    """Once all is filled, filling all anew leaves the CRM, and each outcome, as they are."""
    with opened() as at:
        at.publish({**NEXT_STEP, "overwrite": overwrite})
        history = History(at, overwrite, watching=False)
        for step in steps:
            history.take(step)

        def all_of_it() -> list[Any]:
            rows = at.at.ledger.fillings.of("acme", ["x:1", "x:2", "x:3"])
            return [at.value(), *((row.call_id, row.outcome, row.reason, row.wanted, row.run) for row in rows)]

        before = all_of_it()
        history.fill()
        assert all_of_it() == before
