"""``connector backfill``: very many calls of the past, read as a stream."""

from __future__ import annotations

import math
import signal
import stat
import sys
import threading
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Any

from connector_core.backfill import Backfill, Ended
from connector_core.calls import Skipped, stream_calls
from connector_core.cli import inputs
from connector_core.cli.collector import rare_collections
from connector_core.cli.output import DONE, INCOMPLETE, INTERRUPTED, OutputClosedError, say, say_json, tell
from connector_core.config import OpenConnection
from connector_core.errors import InputError
from connector_core.model import Call
from connector_core.providers.binding import Provider

LINE_SECONDS = 5.0
BAR_SECONDS = 0.5
BAR_WIDTH = 30
GOES_ON = "the same command goes on where it stopped"


def run(arguments: Namespace) -> int:
    """Accept and write all calls; say how far it is meanwhile, and in the end what is not done."""
    config = inputs.file(arguments.config)
    connection = config.connection(arguments.connection)
    news: SimpleQueue[str | None] = SimpleQueue()
    with ExitStack() as stack:
        stack.enter_context(rare_collections())
        lines = _Lines(arguments.calls)
        provider = stack.enter_context(inputs.provider_of(arguments, config)) if arguments.provider else None
        opened = stack.enter_context(connection.open())
        ledger = stack.enter_context(inputs.ledger(config, arguments))
        read = _Read(lines, provider)
        backfill = Backfill(ledger, opened, iter(read))
        stopped = stack.enter_context(_stopping(backfill, lines, news))
        with inputs.naming(connection), _progress(backfill, read, opened, news):
            ended = backfill.run(wait_for_quota=arguments.wait)
        if backfill.trouble is not None:
            tell(f"some fields are filled later: {backfill.trouble}")
        unsettled = _name_unsettled(backfill, as_json=arguments.json)
        _sum_up(arguments, backfill, read, opened, ended, unsettled, backfill.behind.number)
    if signal.SIGINT in stopped:
        return INTERRUPTED
    return DONE if ended.how == "done" and not unsettled and not read.problems else INCOMPLETE


class _Lines:
    """The lines of several files, one after the other; how many bytes of them there are, and were read."""

    def __init__(self, sources: list[str]) -> None:
        if "-" in sources and len(sources) > 1:
            raise InputError("-: standard input is read alone, beside no file")
        self._sources = sources
        self.total: int | None = 0
        self.read = 0
        self._waits = self._stopped = False
        for source in sources:
            size = None if source == "-" else _size(source)
            self.total = None if self.total is None or size is None else self.total + size

    def of_each(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Give each file's name and lines."""
        for source in self._sources:
            yield source, self._counted(source)

    def _counted(self, source: str) -> Iterator[bytes]:
        try:
            self._wait()  # already to open one: a pipe opens once somebody writes into it
            with inputs.lines(source) as lines:
                for line in lines:
                    self._waits = False
                    self.read += len(line)
                    yield line
                    self._wait()
        except _StoppedError:
            return
        finally:
            self._waits = False

    def _wait(self) -> None:
        self._waits = True
        if self._stopped:
            raise _StoppedError

    def stop(self) -> None:
        """Read no further line, of no file; called by a signal, it ends the wait for one."""
        self._stopped = True
        if self._waits:
            self._waits = False
            raise _StoppedError


class _Read:
    """The calls of all files; what is wrong with a line goes to standard error."""

    def __init__(self, lines: _Lines, provider: Provider | None) -> None:
        self.lines = lines
        self._provider = provider
        self.calls = self.problems = self.skipped = 0

    def __iter__(self) -> Iterator[Call]:
        for source, lines in self.lines.of_each():
            for found in stream_calls(lines, self._provider):
                if isinstance(found, Call):
                    self.calls += 1
                    yield found
                elif isinstance(found, Skipped):
                    self.skipped += 1
                else:
                    self.problems += 1
                    tell(str(found) if source == "-" else f"{source}: {found}")


def _size(source: str) -> int | None:
    """Give a file's size, now rather than after hours: a file that is not there is told at once."""
    try:
        told = Path(source).stat()
        if not stat.S_ISFIFO(told.st_mode):  # whose writer would lose its only reader
            Path(source).open("rb").close()
    except OSError as error:
        raise InputError(f"{source}: cannot be read ({error.strerror})") from error
    return told.st_size if stat.S_ISREG(told.st_mode) else None


class _StoppedError(Exception):
    """What is to be read is not waited for any more."""


@contextmanager
def _stopping(backfill: Backfill, lines: _Lines, news: SimpleQueue[str | None]) -> Iterator[list[int]]:
    """End what is under way on the first signal, and at once on the second; give the signals that came.

    What there is to say goes to ``news``: a handler that prints could come in the middle of a line.
    """
    came: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        signal.signal(number, signal.SIG_DFL)
        news.put(f"{signal.Signals(number).name}: ending the batches under way; once more ends it at once")
        backfill.stop()
        lines.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _progress(backfill: Backfill, read: _Read, opened: OpenConnection, news: SimpleQueue[str | None]) -> Iterator[None]:
    """Say how far it is: a bar on a terminal, else a line every few seconds; and what news there is, at once."""
    on_terminal = sys.stderr is not None and sys.stderr.isatty()
    started = time.monotonic()

    def show() -> None:
        try:
            while True:
                try:
                    told = news.get(timeout=BAR_SECONDS if on_terminal else LINE_SECONDS)
                except Empty:
                    text = _so_far(backfill, read, opened, time.monotonic() - started)
                    if on_terminal:
                        sys.stderr.write(f"\r\x1b[K{_bar(read.lines)}{text}\r")
                        sys.stderr.flush()
                    else:
                        tell(text)
                    continue
                if on_terminal:
                    sys.stderr.write("\r\x1b[K")
                if told is None:
                    return
                tell(told)
        except (OutputClosedError, OSError):
            backfill.stop()

    shown = threading.Thread(target=show, name="progress", daemon=True)
    shown.start()
    try:
        yield
    finally:
        news.put(None)
        shown.join()


def _so_far(backfill: Backfill, read: _Read, opened: OpenConnection, seconds: float) -> str:
    tally, lines = backfill.tally, read.lines
    written = sum(tally.outcomes[it] for it in ("created", "updated", "unchanged"))
    rate = tally.settled / seconds
    parts = [
        f"{read.calls:,} read",
        f"{tally.accepted.total():,} accepted ({tally.accepted['known']:,} known before)",
        f"{written:,} written",
        f"{tally.outcomes['waiting'] + tally.outcomes['refused']:,} waiting",
        f"{rate:,.0f} calls/s",
    ]
    if lines.total and 0 < lines.read < lines.total:
        parts.append(f"about {math.ceil(seconds * (lines.total - lines.read) / lines.read):,} s left")
    if opened.connection.quota is not None:
        parts.append(f"{opened.connection.quota.left:,} API calls left")
    return ", ".join(parts)


def _bar(lines: _Lines) -> str:
    if not lines.total:
        return ""
    full = BAR_WIDTH * min(lines.read, lines.total) // lines.total
    return f"[{'#' * full}{'.' * (BAR_WIDTH - full)}] "


def _name_unsettled(backfill: Backfill, *, as_json: bool) -> Counter[tuple[str, str]]:
    """Name each call of a backfill that waits, was refused, or could not be asked for; count them by state and outcome."""
    unsettled: Counter[tuple[str, str]] = Counter()
    for it in backfill.unsettled():
        unsettled[it.state, it.outcome or ""] += 1
        if as_json:
            say_json({"call_id": it.call_id, "state": it.state, "outcome": it.outcome, "reason": it.reason})
        else:
            tell(f"{it.call_id}: {it.outcome}: {it.reason or 'no reason given'}")
    return unsettled


def _sum_up(
    arguments: Namespace,
    backfill: Backfill,
    read: _Read,
    opened: OpenConnection,
    ended: Ended,
    unsettled: Counter[tuple[str, str]],
    due: int,
) -> None:
    tally, cost, quota = backfill.tally, opened.connection.cost, opened.connection.quota
    put_off = Counter({outcome: number for (state, outcome), number in unsettled.items() if state == "due"})
    outcomes = dict(sorted((tally.outcomes + put_off).items()))
    if arguments.json:
        summary: dict[str, Any] = {
            "connection": arguments.connection,
            "ended": ended.how,
            "reason": ended.reason,
            "accepted": {it: tally.accepted[it] for it in ("new", "changed", "known")},
            "problems": read.problems,
            "skipped": read.skipped,
            "outcomes": outcomes,
            "waiting": unsettled.total(),
            "due": due,
            "requests": cost.requests,
            "quota_left": quota.left if quota else None,
        }
        say_json(summary)
        return
    counted = ", ".join(f"{number:,} {outcome}" for outcome, number in outcomes.items())
    accepted = f"{tally.accepted.total():,} calls accepted, {tally.accepted['known']:,} of them known before"
    begun = ended.how == "done" or read.calls
    say(", ".join([accepted if begun else "no call was read yet", *inputs.unread(read.problems)]))
    nothing = "nothing to do" if ended.how == "done" else "nothing done"
    say(f"{counted or nothing}; {cost.requests:,} requests; {due:,} still due")
    if ended.how == "held_back":
        tell(f"{ended.reason}. Run it again tomorrow: {GOES_ON}; or with --wait")
    elif ended.how == "stopped":
        tell(f"stopped: {GOES_ON}")
    elif ended.how == "paused":
        resume = f"connector resume --connection {arguments.connection}"
        tell(f"connection {arguments.connection}: stands still until somebody resumes it: {ended.reason}")
        tell(f"mend that, and say {resume}; then {GOES_ON}")
    elif ended.how != "done":
        tell(f"connection {arguments.connection}: {ended.reason}: {GOES_ON}")
