"""What an administrator may change of the portal; each change replaces the one before of its name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers

from connector_hubspot.sandbox.kinds import DEALS, Kind, kind_of
from connector_hubspot.sandbox.portal import Portal
from connector_hubspot.sandbox.refusals import NotSpokenError, RefusalError
from connector_hubspot.sandbox.schema import Property, options_of
from connector_hubspot.sandbox.scopes import SCOPES
from connector_hubspot.sandbox.values import Rule

_CODE = re.compile(r"[A-Z]{3}")
_TYPES = frozenset({"string", "number", "bool", "enumeration", "date", "datetime", "phone_number"})


def change_organization(portal: Portal, changes: Mapping[str, Any]) -> None:
    """Change the portal.

    :raises ValueError: An unknown change, or one of the wrong form; the message names it and what is possible.
    """
    unknown = [name for name in changes if name not in _CHANGES]
    if unknown:
        raise ValueError(f"org: unknown {', '.join(unknown)}; possible are {', '.join(_CHANGES)}")
    for name, value in changes.items():
        try:
            _CHANGES[name](portal, value)
        except (TypeError, AttributeError, KeyError) as error:
            raise ValueError(f"org.{name}: not in the form that the plugin's README shows") from error


def _kind(text: str) -> Kind:
    try:
        return kind_of(text)
    except (RefusalError, NotSpokenError) as error:
        raise ValueError(f"org: unknown object {text}") from error


def _known(portal: Portal, obj: str, name: str) -> Kind:
    kind = _kind(obj)
    if not portal.schema.exists(kind, name):
        raise ValueError(f"org: {kind.name} have no property {name}")
    return kind


def _names(portal: Portal, value: Any) -> dict[Kind, frozenset[str]]:
    """Read ``{"contacts": ["jobtitle"]}``."""
    for obj, names in value.items():
        for name in names:
            _known(portal, obj, name)
    return {_kind(obj): frozenset(names) for obj, names in value.items()}


def _hide(portal: Portal, value: Any) -> None:
    portal.schema.hide(_names(portal, value))


def _lock(portal: Portal, value: Any) -> None:
    portal.schema.lock(_names(portal, value))


def _require(portal: Portal, value: Any) -> None:
    portal.required = _names(portal, value)


def _offer(portal: Portal, value: Any) -> None:
    for obj, properties in value.items():
        for name, options in properties.items():
            portal.schema.offer(_known(portal, obj, name), name, options_of(options))


def _rule(portal: Portal, value: Any) -> None:
    rules = {
        (_known(portal, obj, name), name): _one_rule(name, rule)
        for obj, properties in value.items()
        for name, rule in properties.items()
    }
    portal.values.rules = rules


def _one_rule(name: str, given: Mapping[str, Any]) -> Rule:
    """Read ``{"max_length": 10}``, ``{"min_length": 2}`` or ``{"regex": "…"}``."""
    wrong = [key for key in given if key not in {"max_length", "min_length", "regex"}]
    if wrong or not given:
        raise ValueError(f"org.rules: {name}: possible are max_length, min_length, regex")
    most, least = given.get("max_length"), given.get("min_length")
    if not all(isinstance(length, int | None) for length in (most, least)):
        raise ValueError(f"org.rules: {name}: lengths are whole numbers")
    try:
        pattern = re.compile(given.get("regex", ""), re.DOTALL)
    except re.error as error:
        raise ValueError(f"org.rules: {name}: regex: {error}") from error

    def check(value: str) -> tuple[str, str] | None:
        if most is not None and len(value) > most:
            return "MAX_LENGTH", f"{name} takes {most} characters at most"
        if least is not None and len(value) < least:
            return "MIN_LENGTH", f"{name} takes {least} characters at least"
        if "regex" in given and pattern.fullmatch(value) is None:
            return "REGEX", f"{name} does not match {given['regex']}"
        return None

    return check


def _scopes(portal: Portal, value: Any) -> None:
    wrong = [scope for scope in value if scope not in SCOPES]
    if wrong:
        raise ValueError(f"org.missing_scopes: unknown {', '.join(wrong)}; possible are {', '.join(sorted(SCOPES))}")
    portal.missing_scopes = frozenset(value)


def _add(portal: Portal, value: Any) -> None:
    for obj, properties in value.items():
        for given in properties:
            type_ = given.get("type", "string")
            if type_ not in _TYPES:
                raise ValueError(f"org.properties: unknown type {type_}; possible are {', '.join(sorted(_TYPES))}")
            prop = Property(
                str(given["name"]),
                type_,
                given.get("fieldType", "text"),
                given.get("label", ""),
                options=options_of(given.get("options", ())),
                unique=given.get("hasUniqueValue", False),
                custom=True,
                currency=given.get("currencyPropertyName"),
            )
            portal.schema.add(_kind(obj), prop)


def _default_country(portal: Portal, value: Any) -> None:
    """Set the country under which numbers without one are read; those that were calculated stay, until a write."""
    if value is not None and value not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f"org.default_country: a two-letter code or null is wanted, got {value}")
    portal.default_country = value


def _time_zone(portal: Portal, value: Any) -> None:
    try:
        portal.time_zone = ZoneInfo(value)
    except (ZoneInfoNotFoundError, OSError, ValueError) as error:
        raise ValueError(f"org.time_zone: no such time zone {value}") from error


def _currencies(portal: Portal, value: Any) -> None:
    """Set the account's currencies, its own first; deals may be in each of them."""
    if not isinstance(value, list) or not value or not all(_CODE.fullmatch(code) for code in value):
        raise ValueError(f"org.currencies: a list of codes like EUR is wanted, the account's own first, got {value}")
    portal.currencies = tuple(value)
    portal.schema.offer(DEALS, "deal_currency_code", options_of(value))


def _limits(portal: Portal, value: Any) -> None:
    portal.limits.change(value)


def _page_size(portal: Portal, value: Any) -> None:
    if not isinstance(value, int) or value < 1:
        raise ValueError(f"org.association_page_size: a whole number above 0 is wanted, got {value}")
    portal.association_page_size = value


_CHANGES: Mapping[str, Callable[[Portal, Any], None]] = {
    "hidden": _hide,
    "read_only": _lock,
    "required": _require,
    "options": _offer,
    "rules": _rule,
    "missing_scopes": _scopes,
    "properties": _add,
    "default_country": _default_country,
    "time_zone": _time_zone,
    "currencies": _currencies,
    "association_page_size": _page_size,
    "limits": _limits,
}
