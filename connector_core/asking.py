"""What all operations of a connection share: the batch, the plugin's code, its answer, and who hears of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias, TypeVar

from connector_core.answers import Checker
from connector_core.errors import InputError, UnsupportedError
from connector_core.manifest import OPERATIONS, ConnectionInfo, CrmManifest
from connector_core.remembered import Remembered

T = TypeVar("T")
Check: TypeAlias = Callable[[Checker, Any], None]
Keys: TypeAlias = tuple[str, ...]

_log = logging.getLogger(__name__)


class Asking:
    """Asks a plugin; which of its hooks, and for what, is said by :class:`~connector_core.connection.Connection`."""

    def __init__(
        self,
        manifest: CrmManifest,
        info: ConnectionInfo,
        observers: Mapping[str, Callable[..., object]],
        clock: Callable[[], float],
    ) -> None:
        """Ask nothing yet.

        :param observers: For each observer's name, what makes it hear that an operation ended.
        """
        self.manifest = manifest
        self.info = info
        self._observers = observers
        self._clock = clock
        self._closed = False

    @property
    def name(self) -> str:
        """The connection's name."""
        return self.info.name

    @property
    def operations(self) -> frozenset[str]:
        """What it can do: what the plugin declares and this core knows."""
        return self.manifest.operations & OPERATIONS

    def _look_up(
        self,
        operation: str,
        keys: Iterable[str],
        call: Callable[[Keys], Any],
        kind: type,
        most: int | None = None,
        shortest: int = 0,
    ) -> Any:
        """Ask a hook that takes texts and answers each with records: at most ``most``."""
        batch = self._batch(operation, keys)
        if any(len(text.strip()) < shortest for text in batch):
            raise InputError(f"connection {self.name}, {operation}: a text is too short; wanted {shortest} characters")
        return self._ask(
            operation, batch, lambda: call(batch), lambda check, answer: check.found(answer, batch, kind, most)
        )

    def _recall(
        self,
        operation: str,
        keys: Iterable[str],
        memory: Remembered[tuple[T, ...]],
        call: Callable[[Keys], Any],
        check: Callable[[Checker, Any, Keys], None],
    ) -> Any:
        """Ask a hook for what is not remembered; what is found is."""
        batch = self._batch(operation, keys)
        remembered = memory.recall(batch)
        rest = tuple(key for key in batch if key not in remembered)
        answer = self._ask(operation, rest, lambda: call(rest), lambda checker, answer: check(checker, answer, rest))
        memory.keep({key: found for key, found in answer.items() if isinstance(found, tuple) and found})
        return {**remembered, **answer}

    def _ask_whole(self, operation: str, call: Callable[[], Any], check: Check) -> Any:
        """Ask a hook that takes no batch."""
        return self._ask(operation, self._batch(operation, [self.name]), call, check)

    def _batch(self, operation: str, items: Iterable[T], key: Callable[[T], Any] = lambda item: item) -> tuple[T, ...]:
        """Sort a batch by its keys and free it of repeats, once it is sure that the operation may be called at all."""
        if self._closed:
            raise InputError(f"connection {self.name} is closed: bind it anew before {operation}")
        if operation not in self.operations:
            raise UnsupportedError(self.manifest.name, operation)
        if isinstance(items, str):
            raise InputError(
                f"connection {self.name}, {operation}: got one text, wanted several in a list or another batch"
            )
        by_key: dict[Any, T] = {}
        for item in items:
            if by_key.setdefault(key(item), item) != item:
                raise InputError(f"connection {self.name}, {operation}: two different items of the batch have one key")
        return tuple(by_key[each] for each in sorted(by_key))

    def _ask(
        self,
        operation: str,
        batch: tuple[object, ...],
        call: Callable[[], Any],
        check: Check,
        nothing: Any = MappingProxyType({}),
    ) -> Any:
        """Call a hook, check what it answers and tell the observers; an empty batch calls nothing."""
        if not batch:
            return nothing
        started = self._clock()
        checker = Checker(self.manifest.name, operation)
        try:
            answer = checker.guarded(call)
            check(checker, answer)
        except BaseException as error:
            self._tell(operation, len(batch), error, self._clock() - started)
            raise
        self._tell(operation, len(batch), None, self._clock() - started)
        return answer

    def _tell(self, operation: str, keys: int, error: BaseException | None, seconds: float) -> None:
        for name, operation_finished in self._observers.items():
            try:
                operation_finished(connection=self.name, operation=operation, keys=keys, error=error, seconds=seconds)
            except Exception:  # noqa: BLE001 - whatever an observer raises, the operation has its result
                _log.exception("connection %s: %s raised on %s; nothing else changes", self.name, name, operation)
