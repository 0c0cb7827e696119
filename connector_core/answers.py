"""What a plugin answered, held against the contract: every key, no other, and only what may stand there.

Messages count keys and name types; they never show a key or a value, which may be an address or a number.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar, get_args, get_type_hints

from connector_core.errors import ConnectorError, ContractError
from connector_core.model import (
    NEEDS,
    Access,
    Changed,
    ChangePage,
    FieldReceipt,
    ObjectDescription,
    Opportunities,
    Opportunity,
    Organization,
    Receipt,
    RecordFields,
    RecordUpdate,
    Unknown,
)

T = TypeVar("T")
_log = logging.getLogger(__name__)
_OUTCOMES: Mapping[type, tuple[str, ...]] = {
    kind: get_args(get_type_hints(kind)["outcome"]) for kind in (Receipt, FieldReceipt)
}
_VALUES = (str, int, float, bool)
_CURRENCY = re.compile(r"[A-Z]{3}")
_ADDRESSES = ("https://", "http://", "file://")


@dataclass(frozen=True, slots=True)
class Checker:
    """Checks the answers of one operation of one plugin; every method raises ``ContractError``."""

    plugin: str
    operation: str
    part: str = ""

    def refused(self, message: str) -> ContractError:
        """Say what came and what was wanted, naming plugin and operation."""
        return ContractError(self.plugin, self.operation, f"{self.part} {message}".lstrip())

    def guarded(self, call: Callable[[], T]) -> T:
        """Run the plugin's code: what it raises and may not becomes a contract error."""
        try:
            return call()
        except ConnectorError:
            raise
        except Exception as error:
            _log.debug("plugin %s, %s, raised", self.plugin, self.operation, exc_info=error)
            message = f"raised {type(error).__name__}; wanted an answer, or an error of connector_core.errors"
            raise self.refused(message) from error

    def found(self, answer: object, keys: Collection[Hashable], kind: type, most: int | None = None) -> None:
        """Check a look-up: for each key a tuple of ``kind``, of ``most`` or fewer, or :class:`~.model.Unknown`."""
        for value in self._by_key(answer, keys).values():
            if isinstance(value, Unknown):
                continue
            if not isinstance(value, tuple):
                raise self.refused(f"answered {_what(value)} for a key; wanted a tuple of {kind.__name__}, or Unknown")
            if most is not None and len(value) > most:
                raise self.refused(f"answered {len(value)} records of {kind.__name__} for a key; wanted {most} at most")
            wrong = next((item for item in value if not isinstance(item, kind)), self)
            if wrong is not self:
                raise self.refused(f"answered a tuple that holds {_what(wrong)}; wanted a tuple of {kind.__name__}")
            for item in value:
                self._record(item, kind)

    def _record(self, record: Any, kind: type) -> None:
        name = "name" if kind is ObjectDescription else "id"
        own = getattr(record, name)
        if not isinstance(own, str) or not own:
            raise self.refused(f"answered {_an(kind)} whose {name} is {_what(own)}; wanted its own, as text")
        for name in ("started_at", "created_at", "closed_at", "changed_at"):
            moment = getattr(record, name, None)
            if moment is not None and not isinstance(moment, dt.date):
                raise self.refused(
                    f"answered an {kind.__name__} whose {name} is {_what(moment)}; wanted a time or a date"
                )
            if isinstance(moment, dt.datetime) and moment.utcoffset() is None:
                raise self.refused(f"answered an {kind.__name__} whose {name} has no time zone; wanted an aware time")

    def opportunities(
        self, answer: object, people: Collection[str], accounts: Collection[str], ids: Collection[str]
    ) -> None:
        """Check ``list_opportunities``: an answer for each person, account and id."""
        if not isinstance(answer, Opportunities):
            raise self.refused(f"answered {_what(answer)}; wanted Opportunities")
        for part, keys, most in (("of_people", people, None), ("of_accounts", accounts, None), ("by_id", ids, 1)):
            replace(self, part=part).found(getattr(answer, part), keys, Opportunity, most)

    def described(self, answer: Mapping[str, tuple[ObjectDescription, ...] | Unknown], names: Collection[str]) -> None:
        """Check ``describe_objects``: each object with its fields under their own names."""
        self.found(answer, names, ObjectDescription, most=1)
        for it in (each for found in answer.values() if isinstance(found, tuple) for each in found):
            wrong = sum(getattr(item, "name", None) != name for name, item in it.fields.items())
            if wrong:
                raise self.refused(f"answered {wrong} fields that are not under their own name; wanted each so")

    def access(self, answer: object, *, leads: bool) -> None:
        """Check ``check_access``: each right that the connector uses is told of its object; of leads where there are any."""
        if not isinstance(answer, Access):
            raise self.refused(f"answered {_what(answer)}; wanted Access")
        told = {(it.subject, it.verb) for it in answer.rights if it.field is None}
        wanted = {it for it in NEEDS if leads or it[0] != "lead"}
        left_out = sorted(f"{verb} {subject}" for subject, verb in wanted - told)
        if left_out:
            raise self.refused(
                f"left out the rights {', '.join(left_out)}; wanted each, with None where it cannot be told"
            )
        if any((it.subject, it.verb) not in NEEDS for it in answer.rights):
            raise self.refused("answered rights that the connector does not use; wanted those of NEEDS alone")

    def organization(self, answer: object) -> None:
        """Check ``describe_organization``: a name and a code, or None for each."""
        if not isinstance(answer, Organization):
            raise self.refused(f"answered {_what(answer)}; wanted Organization")
        zone: Any = answer.time_zone
        currency: Any = answer.currency
        if zone is not None and (not isinstance(zone, str) or not zone):
            raise self.refused(f"answered a time zone that is {_what(zone)}; wanted an IANA name, or None")
        if currency is not None and not (isinstance(currency, str) and _CURRENCY.fullmatch(currency)):
            raise self.refused("answered a currency that is no code of ISO 4217; wanted three capitals, or None")

    def address(self, answer: object) -> None:
        """Check ``form_address``: an address that a browser can be sent to, and that runs nothing."""
        if not isinstance(answer, str):
            raise self.refused(f"answered {_what(answer)}; wanted an address, as text")
        if not answer.startswith(_ADDRESSES) or not answer.isascii() or not answer.isprintable() or " " in answer:
            raise self.refused(f"answered no whole address; wanted one of {', '.join(_ADDRESSES)}, escaped")

    def changes(self, answer: object, kinds: Collection[str], page: str | None) -> None:
        """Check ``list_changes``: records of the kinds, with aware times, and another page or none."""
        if not isinstance(answer, ChangePage):
            raise self.refused(f"answered {_what(answer)}; wanted a ChangePage")
        for record in answer.records:
            self._changed(record, kinds)
        if answer.next is not None and answer.next in ("", page):
            raise self.refused("answered a next page that is empty, or the same once more; wanted another one, or None")

    def _changed(self, record: Any, kinds: Collection[str]) -> None:
        if not isinstance(record, Changed) or record.kind not in kinds:
            raise self.refused("answered a record that is no Changed of a kind that was asked for; wanted no other")
        self._record(record, Changed)

    def receipts(self, answer: object, keys: Collection[str]) -> None:
        """Check ``write_activity``: a receipt for each draft, with the id of what was created."""
        for receipt in self._by_key(answer, keys).values():
            self._receipt(receipt, Receipt)
            if isinstance(receipt, Receipt) and receipt.outcome == "created" and not receipt.id:
                raise self.refused("answered a receipt that says created and has no id; wanted the new activity's id")

    def field_receipts(self, answer: object, updates: Collection[RecordUpdate]) -> None:
        """Check ``fill_fields``: a receipt for every field of every record."""
        records = self._by_key(answer, [(update.object, update.id) for update in updates])
        for update in updates:
            for receipt in self._by_key(records[update.object, update.id], update.fields).values():
                self._receipt(receipt, FieldReceipt)

    def values(self, answer: object, records: Collection[RecordFields]) -> None:
        """Check ``read_fields``: for each record the fields that were asked for, one mapping of them at most."""
        by_key = self._by_key(answer, [(it.object, it.id) for it in records])
        for record in records:
            found = by_key[record.object, record.id]
            if isinstance(found, Unknown):
                continue
            if not isinstance(found, tuple):
                raise self.refused(f"answered {_what(found)} for a key; wanted a tuple of one mapping, or Unknown")
            if len(found) > 1:
                raise self.refused(f"answered {len(found)} mappings for a key; wanted 1 at most")
            for values in found:
                self._values(values, record.fields)

    def _values(self, values: object, asked: Collection[str]) -> None:
        if not isinstance(values, Mapping):
            raise self.refused(f"answered a tuple that holds {_what(values)}; wanted a mapping of fields to values")
        if further := len(values.keys() - set(asked)):
            raise self.refused(f"answered {further} fields that were not asked for; wanted no other, by the same name")
        wrong = next((it for it in values.values() if it is not None and not isinstance(it, _VALUES)), None)
        if wrong is not None:
            raise self.refused(f"answered a field that holds {_what(wrong)}; wanted text, a number, a boolean or None")

    def _by_key(self, answer: object, keys: Collection[Hashable]) -> Mapping[Any, Any]:
        if not isinstance(answer, Mapping):
            raise self.refused(f"answered {_what(answer)}; wanted a mapping with every key that was asked for")
        missing = sum(key not in answer for key in keys)
        if missing:
            raise self.refused(
                f"left out {missing} of {len(keys)} keys; wanted each, with Unknown where it was not asked"
            )
        if len(answer) > len(keys):
            raise self.refused(f"answered {len(answer) - len(keys)} keys that were not asked for; wanted no other")
        return answer

    def _receipt(self, receipt: object, kind: type) -> None:
        if not isinstance(receipt, kind):
            raise self.refused(f"answered {_what(receipt)} for a key; wanted a {kind.__name__}")
        outcome = getattr(receipt, "outcome", None)
        if outcome not in _OUTCOMES[kind]:
            raise self.refused(f"answered the outcome {outcome!r}; wanted one of {', '.join(_OUTCOMES[kind])}")


def _an(kind: type) -> str:
    return f"{'an' if kind.__name__[0] in 'AEIOU' else 'a'} {kind.__name__}"


def _what(value: object) -> str:
    if value is None:
        return "None (was a return forgotten?)"
    return "empty" if value == "" else f"a value of type {type(value).__name__}"
