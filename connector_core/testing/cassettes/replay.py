"""Recording and replaying, through vcrpy: it stands in the HTTP libraries that a plugin's client uses.

vcrpy does the interception alone. What is compared, kept and refused is ours, because its own way forgives: it ignores
bodies, plays in any order, is content with half a cassette, and scrubs as often as it looks at a request.
"""

from __future__ import annotations

import difflib
import json
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from vcr.cassette import Cassette as VcrCassette  # type: ignore[import-untyped]  # vcrpy ships no types
from vcr.filters import decode_response  # type: ignore[import-untyped]  # likewise
from vcr.persisters.filesystem import CassetteNotFoundError  # type: ignore[import-untyped]  # likewise
from vcr.record_mode import RecordMode  # type: ignore[import-untyped]  # likewise
from vcr.request import Request as VcrRequest  # type: ignore[import-untyped]  # likewise
from vcr.util import read_body  # type: ignore[import-untyped]  # likewise

from connector_core.testing.cassettes.exchange import (
    Answer,
    Asked,
    Body,
    Cassette,
    CassetteError,
    Exchange,
    Provenance,
    Tape,
    differences,
)
from connector_core.testing.cassettes.form import dumped, read, write
from connector_core.testing.cassettes.guard import no_network, no_waiting
from connector_core.testing.cassettes.scrub import Scrubber
from connector_core.testing.cassettes.threads import in_all_threads

HOW_TO_RECORD = "if the change is meant, record anew with pytest --contract-record; cassettes/README.md says more"
_MOST_LINES = 24


@contextmanager
def recording(
    path: Path,
    provenance: Provenance,
    *,
    secrets: Collection[str] = (),
    before: Callable[[Asked], object] = lambda _: None,
) -> Iterator[Tape]:
    """Record the HTTP of a block into a file; where the block raises, the file is left as it was.

    A request that got no answer is not recorded: for silence and broken connections there is
    :func:`~connector_core.testing.cassettes.faulty.replay_server`.

    :param provenance: With the settings as they are: their secrets and addresses are replaced in what is saved.
    :param secrets: Further texts that must not be saved, such as the e-mail of a live account's user.
    :param before: Is given each request before it is sent; what it raises keeps it from being sent.
    :raises CassetteError: No request was made, or a secret would be saved.
    """
    scrubber = Scrubber(provenance, secrets)
    tape = Tape(scrubber.provenance)
    use = _Recorder.use(path=str(path), persister=_NoFile, record_mode=RecordMode.ALL, tape=tape, before=before)
    with in_all_threads(), use as recorder:
        yield tape
    if not recorder.exchanges:
        raise CassetteError(f"{path}: nothing to save, for no request was answered")
    cassette = Cassette(scrubber.provenance, scrubber.scrubbed(recorder.exchanges))
    scrubber.check(dumped(cassette))
    write(path, cassette)


@contextmanager
def replaying(path: Path) -> Iterator[Tape]:
    """Answer the HTTP of a block from a file, and let nothing else through; waits take no time.

    Each request must be the one that was recorded at its place: method, scheme, host, port, path, query, and body, where
    JSON is compared as values. All must be made. Those that several threads sent may come in any order among themselves.

    :raises CassetteError: The file is missing or empty; a request is another one than recorded, even if the block has
        swallowed that; not all were made. The message names the file and what differs.
    """
    with _playing(path, read(path)) as tape:
        yield tape


@contextmanager
def sabotaged(path: Path, n: int) -> Iterator[Tape]:
    """Replay with answer ``n`` (from 0) emptied: what the block proves must then fail, or that answer proves nothing.

    An emptied answer is 200 with ``{}``, ``[]`` or nothing, as its body was; one that is so already becomes a 500.

    :raises IndexError: There is no such answer.
    """
    cassette = read(path)
    exchanges = list(cassette.exchanges)
    exchanges[n] = replace(exchanges[n], answer=_emptied(exchanges[n].answer))
    with _playing(path, replace(cassette, exchanges=exchanges)) as tape:
        yield tape


def _emptied(answer: Answer) -> Answer:
    empty = Body("json", [] if isinstance(answer.body.value, list) else {}) if answer.body.kind == "json" else None
    body = empty or Body("text", "")
    if answer.status < 300 and answer.body in (body, Body("text", "")):
        return Answer(500, answer.headers, body)
    return Answer(200, answer.headers, body)


# -- recording ---------------------------------------------------------------------------------------------------------


class _NoFile:
    """Keeps vcrpy away from files: ours are read and written here."""

    @staticmethod
    def load_cassette(cassette_path: object, serializer: object) -> Any:
        raise CassetteNotFoundError

    @staticmethod
    def save_cassette(cassette_path: object, cassette_dict: object, serializer: object) -> None:
        pass


def _asked(request: VcrRequest) -> Asked:
    headers = {name: text.decode() if isinstance(text, bytes) else str(text) for name, text in request.headers.items()}
    return Asked.of(request.method, request.uri, headers, read_body(request) or b"")


class _Recorder(VcrCassette):  # type: ignore[misc]  # vcrpy ships no types
    def __init__(self, *, tape: Tape, before: Callable[[Asked], object], **options: Any) -> None:
        super().__init__(**options)
        self.exchanges: list[Exchange] = []
        self._tape = tape
        self._before = before
        self._opened_by = threading.get_ident()

    def can_play_response_for(self, request: VcrRequest) -> bool:
        """Answer nothing; every library asks for this before it sends."""
        self._before(_asked(request))
        return False

    def append(self, request: VcrRequest, response: Mapping[str, Any]) -> None:
        asked, plain = _asked(request), decode_response(response)
        headers = {name.lower(): ", ".join(texts) for name, texts in plain["headers"].items()}
        body = Body.of(plain["body"]["string"] or b"", headers.get("content-type", ""))
        answer = Answer(plain["status"]["code"], headers, body)
        with self._tape.lock:
            self._tape.sent.append(asked)
            self.exchanges.append(Exchange(asked, answer, together=threading.get_ident() != self._opened_by))


# -- replaying ---------------------------------------------------------------------------------------------------------


@contextmanager
def _playing(path: Path, cassette: Cassette) -> Iterator[Tape]:
    if not cassette.exchanges:
        raise CassetteError(f"{path}: holds no request, and proves nothing; {HOW_TO_RECORD}")
    tape = Tape(cassette.provenance)
    wrong: list[CassetteError] = []
    score = _Score(path, cassette.exchanges, tape, wrong)
    try:
        with ExitStack() as stack:
            stack.enter_context(no_network(wrong.append))
            stack.enter_context(no_waiting(tape.slept.append))
            stack.enter_context(in_all_threads())
            stack.enter_context(
                _Player.use(path=str(path), persister=_NoFile, record_mode=RecordMode.NONE, score=score)
            )
            yield tape
    except Exception as error:
        if wrong and wrong[0] is not error:
            raise wrong[0] from error
        raise
    if wrong:
        raise wrong[0]
    score.check_whole()


class _Player(VcrCassette):  # type: ignore[misc]  # vcrpy ships no types
    def __init__(self, *, score: _Score, **options: Any) -> None:
        super().__init__(**options)
        self._score = score

    def can_play_response_for(self, request: VcrRequest) -> bool:
        return True

    def play_response(self, request: VcrRequest) -> dict[str, Any]:
        answer = self._score.play(_asked(request))
        content = answer.body.content()
        headers = {name: [text] for name, text in answer.headers.items()}
        if content:
            headers["content-length"] = [str(len(content))]
        return {"status": {"code": answer.status, "message": ""}, "headers": headers, "body": {"string": content}}


class _Score:
    """What is to be played, and how far it was."""

    def __init__(self, path: Path, exchanges: Sequence[Exchange], tape: Tape, wrong: list[CassetteError]) -> None:
        self._path = path
        self._exchanges = exchanges
        self._tape = tape
        self._wrong = wrong
        self._left = list(range(len(exchanges)))

    def play(self, asked: Asked) -> Answer:
        with self._tape.lock:
            for index in self._next():
                if not differences(self._exchanges[index].asked, asked):
                    self._left.remove(index)
                    self._tape.sent.append(asked)
                    return self._exchanges[index].answer
            error = CassetteError(self._miss(asked))
            self._wrong.append(error)
        raise error

    def check_whole(self) -> None:
        if self._left:
            total, asked = len(self._exchanges), self._exchanges[self._left[0]].asked
            raise CassetteError(
                f"{self._path}: {len(self._left)} of {total} requests were not made; the first is number "
                f"{self._left[0] + 1}, {asked}. {HOW_TO_RECORD}"
            )

    def _next(self) -> list[int]:
        """Give what may be played now: the next one, or all of a run that several threads sent."""
        run = self._left[:1]
        if run and self._exchanges[run[0]].together:
            for index in self._left[1:]:
                if not all(self._exchanges[it].together for it in range(run[-1], index + 1)):
                    break
                run.append(index)
        return run

    def _miss(self, asked: Asked) -> str:
        total = len(self._exchanges)
        if not self._left:
            return f"{self._path}: one request more than the {total} recorded: {asked}. {HOW_TO_RECORD}"
        wanted = self._exchanges[self._left[0]].asked
        recorded, sent = wanted.parts(), asked.parts()
        parts = differences(wanted, asked)
        told = [_difference(name, recorded[name], sent[name]) for name in parts]
        return (
            f"{self._path}: request {total - len(self._left) + 1} of {total} is another one than recorded, in "
            f"{', '.join(parts)}; recorded {wanted}, sent {asked}.\n" + "\n".join(told) + f"\n{HOW_TO_RECORD}"
        )


def _difference(name: str, recorded: str, sent: str) -> str:
    if "\n" not in recorded + sent and len(recorded + sent) < 200:
        return f"{name}: recorded {json.dumps(recorded)}, sent {json.dumps(sent)}"
    lines = list(
        difflib.unified_diff(
            recorded.splitlines(), sent.splitlines(), f"recorded {name}", f"sent {name}", "", "", 1, ""
        )
    )
    more = [f"… {len(lines) - _MOST_LINES} lines more"] if len(lines) > _MOST_LINES else []
    return "\n".join([*lines[:_MOST_LINES], *more])
