"""The organization as its administrator set it up: what the connection's user sees of it, and what it insists on."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from connector_salesforce.sandbox.custom import custom_field, record_type_field
from connector_salesforce.sandbox.ids import full_id
from connector_salesforce.sandbox.persons import CONTACT_FIELDS, account_fields
from connector_salesforce.sandbox.rules import DEDUPLICATED, DuplicateRule, Rule
from connector_salesforce.sandbox.schema import OBJECTS, Field, ObjectType

DAILY_REQUESTS = 100_000
RIGHTS = ("read", "create", "edit", "delete")


@dataclass(frozen=True, slots=True)
class Choice:
    """A value of the picklists that have an object of their own, TaskStatus and OpportunityStage; no label: its value."""

    value: str
    closed: bool = False
    won: bool = False
    default: bool = False
    probability: int = 0
    label: str = ""


_A_CHOICE = Choice("")
CURRENCY = "CurrencyIsoCode"
_CURRENCY = Field(CURRENCY, "picklist", "Currency ISO Code", 3, nillable=False, defaulted=True, restricted=True)
_CODE = re.compile(r"[A-Z]{3}")


STATUSES = (
    Choice("Not Started", default=True),
    Choice("In Progress"),
    Choice("Completed", closed=True),
    Choice("Waiting on someone else"),
    Choice("Deferred"),
)
STAGES = (
    Choice("Prospecting", probability=10),
    Choice("Qualification", probability=10),
    Choice("Needs Analysis", probability=20),
    Choice("Value Proposition", probability=50),
    Choice("Id. Decision Makers", probability=60),
    Choice("Perception Analysis", probability=70),
    Choice("Proposal/Price Quote", probability=75),
    Choice("Negotiation/Review", probability=90),
    Choice("Closed Won", closed=True, won=True, probability=100),
    Choice("Closed Lost", closed=True),
)


class Org:
    """The set-up of the organization. Each key of a change replaces what the key said before."""

    def __init__(self) -> None:
        self.time_zone = ZoneInfo("UTC")
        self.currencies: tuple[str, ...] = ("EUR",)
        self.rotates = False
        self.app_key: RSAPublicKey | None = None
        self.app_users: frozenset[str] = frozenset()
        self.person_accounts: tuple[str, ...] = ()
        self.daily_requests = DAILY_REQUESTS
        self.keeps_limit = False
        self.statuses: Sequence[Choice] = STATUSES
        self.stages: Sequence[Choice] = STAGES
        self._hidden: frozenset[tuple[str, str]] = frozenset()
        self._read_only: frozenset[tuple[str, str]] = frozenset()
        self._required: frozenset[tuple[str, str]] = frozenset()
        self._picklists: dict[tuple[str, str], tuple[Choice, ...]] = {}
        self._custom: dict[str, dict[str, Field]] = {}
        self._record_types: dict[str, Field] = {}
        self._rules: tuple[Rule, ...] = ()
        self._duplicate_rules: tuple[DuplicateRule, ...] = ()
        self._missing: dict[str, frozenset[str]] = {}
        self._full: dict[str, ObjectType] = {}
        self._visible: dict[str, ObjectType] = {}
        self._rebuild()

    # -- what there is ------------------------------------------------------------------------------------------------

    def full(self, name: str) -> ObjectType:
        """Give an object with all its fields, whoever may see them."""
        return self._full[name.lower()]

    def visible(self, name: str) -> ObjectType | None:
        """Give an object as the connection's user sees it, by its name in any case; None if it may not be read."""
        return self._visible.get(name.lower())

    def visible_objects(self) -> Iterable[ObjectType]:
        """Give every object that the connection's user may read."""
        return self._visible.values()

    def allows(self, obj: str, right: str) -> bool:
        """Tell whether the connection's user has a right on an object."""
        return right not in self._missing.get(obj, ())

    def requires(self, obj: str) -> list[str]:
        """Name the fields that the organization requires besides those that the service does."""
        return [field for item, field in sorted(self._required) if item == obj]

    def rules(self, obj: str) -> list[Rule]:
        """Give the validation rules of an object."""
        return [rule for rule in self._rules if rule.object == obj]

    def duplicate_rules(self, obj: str) -> list[DuplicateRule]:
        """Give the duplicate rules of an object."""
        return [rule for rule in self._duplicate_rules if rule.object == obj]

    # -- changes ------------------------------------------------------------------------------------------------------

    def change(self, changes: Mapping[str, Any]) -> None:
        """Change the set-up.

        :raises ValueError: Something that cannot be changed so; the message says what can. Nothing is changed then.
        """
        setters: Mapping[str, Callable[[Any], None]] = {
            "custom_fields": self._set_custom_fields,
            "record_types": self._set_record_types,
            "person_accounts": self._set_person_accounts,
            "hidden_fields": self._set_hidden_fields,
            "read_only_fields": self._set_read_only_fields,
            "required_fields": self._set_required_fields,
            "picklist_values": self._set_picklist_values,
            "validation_rules": self._set_validation_rules,
            "duplicate_rules": self._set_duplicate_rules,
            "missing_rights": self._set_missing_rights,
            "time_zone": self._set_time_zone,
            "currencies": self._set_currencies,
            "daily_requests": self._set_daily_requests,
            "refresh_token_rotation": self._set_rotation,
            "app_certificate": self._set_certificate,
            "app_users": self._set_app_users,
        }
        for key in changes:
            if key not in setters:
                raise ValueError(
                    f"unknown change of the organization {key!r}; possible are {', '.join(sorted(setters))}"
                )
        before = dict(vars(self))
        try:
            for key, setter in setters.items():  # in this order: the others may name a new custom field
                if key in changes:
                    setter(changes[key])
                    self._rebuild()
        except (TypeError, KeyError, AttributeError) as error:
            vars(self).update(before)
            raise ValueError(f"{key}: has not the form that the documentation gives ({error!r})") from error
        except ValueError:
            vars(self).update(before)
            raise

    def _set_hidden_fields(self, names: Sequence[str]) -> None:
        self._hidden = self._field_names(names)

    def _set_read_only_fields(self, names: Sequence[str]) -> None:
        self._read_only = self._field_names(names)

    def _set_required_fields(self, names: Sequence[str]) -> None:
        self._required = self._field_names(names)

    def _set_picklist_values(self, lists: Mapping[str, Sequence[str | Mapping[str, Any]]]) -> None:
        picklists = {}
        for name, values in lists.items():
            picklists[self._field_name(name)] = tuple(_choice(value) for value in values)
        self._picklists = picklists
        self.statuses = picklists.get(("Task", "Status"), STATUSES)
        self.stages = picklists.get(("Opportunity", "StageName"), STAGES)

    def _set_validation_rules(self, rules: Sequence[Mapping[str, Any]]) -> None:
        self._rules = tuple(self._rule(rule) for rule in rules)

    def _rule(self, rule: Mapping[str, Any]) -> Rule:
        when = rule["when"]
        conditions = tuple(when) if isinstance(when, list) else (when,)
        obj = self._object_name(rule["object"])
        for condition in conditions:
            self._field_name(f"{obj}.{condition['field']}")
            if len({"equals", "in", "blank"} & set(condition)) != 1 or len(condition) != 2:
                raise ValueError(
                    f"validation_rules: a condition has 'field' and one of equals, in, blank; got {condition}"
                )
        return Rule(obj, rule["name"], rule["message"], conditions, rule.get("field"))

    def _set_duplicate_rules(self, rules: Sequence[Mapping[str, Any]]) -> None:
        self._duplicate_rules = tuple(self._duplicate_rule(**rule) for rule in rules)

    def _duplicate_rule(self, object: str, name: str, fields: Sequence[str], **message: str) -> DuplicateRule:  # noqa: A002 - the key's name
        if object not in DEDUPLICATED:
            raise ValueError(f"duplicate_rules: {object} has none; possible are those of {', '.join(DEDUPLICATED)}")
        named = tuple(self._field_name(f"{object}.{field}")[1] for field in fields)
        return DuplicateRule(object, name, named, **message)

    def _set_missing_rights(self, rights: Mapping[str, Sequence[str]]) -> None:
        for name, missing in rights.items():
            for right in missing:
                if right not in RIGHTS:
                    raise ValueError(
                        f"missing_rights: {name}: no such right {right!r}; possible are {', '.join(RIGHTS)}"
                    )
        self._missing = {self._object_name(name): frozenset(missing) for name, missing in rights.items()}

    def _set_time_zone(self, name: str) -> None:
        try:
            self.time_zone = ZoneInfo(name)
        except (ZoneInfoNotFoundError, OSError, ValueError) as error:
            raise ValueError(f"time_zone: no such time zone {name!r}") from error

    def _set_currencies(self, codes: Sequence[str]) -> None:
        if not isinstance(codes, list) or not codes or not all(_CODE.fullmatch(code) for code in codes):
            raise ValueError("currencies: a list of codes like EUR is wanted, the organization's own first")
        self.currencies = tuple(codes)

    def _set_rotation(self, rotates: bool) -> None:
        if type(rotates) is not bool:
            raise ValueError("refresh_token_rotation: true or false is wanted")
        self.rotates = rotates

    def _set_certificate(self, pem: str) -> None:
        key = x509.load_pem_x509_certificate(pem.encode()).public_key() if pem else None
        if key is not None and not isinstance(key, RSAPublicKey):
            raise ValueError("app_certificate: one of an RSA key is wanted")
        self.app_key = key

    def _set_app_users(self, names: Sequence[str]) -> None:
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise TypeError("a list of user names is wanted")
        self.app_users = frozenset(names)

    def _set_daily_requests(self, number: int) -> None:
        if type(number) is not int or number < 1:
            raise ValueError(f"daily_requests: a whole number above 0 is wanted, got {number}")
        self.daily_requests, self.keeps_limit = number, True

    def _set_custom_fields(self, fields: Sequence[Mapping[str, Any]]) -> None:
        custom: dict[str, dict[str, Field]] = {}
        for item in fields:
            # custom fields of activities are defined once, on Activity, and are there on both
            for name in ("Task", "Event") if item["object"] == "Activity" else (self._object_name(item["object"]),):
                field = custom_field(item)
                custom.setdefault(name, {})[field.name.lower()] = field
                if field.controller and field.controller.lower() not in {**OBJECTS[name].fields, **custom[name]}:
                    raise ValueError(f"custom_fields: {field.name}: no field {field.controller!r} to control it")
        self._custom = custom

    def _set_record_types(self, types: Mapping[str, Sequence[str]]) -> None:
        self._record_types = {self._object_name(name): record_type_field(ids) for name, ids in types.items()}

    def _set_person_accounts(self, ids: Sequence[str]) -> None:
        if not isinstance(ids, list) or not all(map(full_id, ids)):
            raise ValueError("person_accounts: a list of ids of accounts is wanted")
        self.person_accounts = tuple(full_id(it) or "" for it in ids)

    def _object_name(self, name: str) -> str:
        if name not in OBJECTS:
            near = difflib.get_close_matches(name, OBJECTS, 1)
            raise ValueError(f"no object {name!r} in the sandbox{f'; did you mean {near[0]}?' if near else ''}")
        return name

    def _field_names(self, names: Sequence[str]) -> frozenset[tuple[str, str]]:
        if not isinstance(names, list):
            raise TypeError("a list of OBJECT.FIELD is wanted")
        return frozenset(self._field_name(name) for name in names)

    def _field_name(self, name: str) -> tuple[str, str]:
        obj, _, field = name.partition(".")
        fields = self.full(self._object_name(obj)).fields
        if field.lower() not in fields:
            near = difflib.get_close_matches(field.lower(), fields, 1)
            hint = f"; did you mean {obj}.{fields[near[0]].name}?" if near else "; write OBJECT.FIELD"
            raise ValueError(f"no field {name!r} in the sandbox{hint}")
        return obj, fields[field.lower()].name

    def _rebuild(self) -> None:
        self._full, self._visible = {}, {}
        for obj in OBJECTS.values():
            full = {**obj.fields, **self._of_currency(obj), **self._of_persons(obj), **self._custom.get(obj.name, {})}
            if obj.name in self._record_types:
                full["recordtypeid"] = self._record_types[obj.name]
            for (name, field), choices in self._picklists.items():
                if name == obj.name:
                    full[field.lower()] = _with_choices(full[field.lower()], choices)
            self._full[obj.name.lower()] = replace(obj, fields=full)
            if self.allows(obj.view_of or obj.name, "read"):
                seen = {key: self._seen(obj.name, field) for key, field in full.items() if not self._hides(obj, field)}
                self._visible[obj.name.lower()] = replace(obj, fields=seen)

    def _of_currency(self, obj: ObjectType) -> Mapping[str, Field]:
        """Give the field that every record has where there are several currencies (Object Reference)."""
        if len(self.currencies) == 1 or not obj.createable or obj.view_of:
            return {}
        return {CURRENCY.lower(): replace(_CURRENCY, values=self.currencies, default=self.currencies[0])}

    def _of_persons(self, obj: ObjectType) -> Mapping[str, Field]:
        """Give the fields that accounts and contacts have where there are person accounts."""
        if not self.person_accounts or obj.name not in ("Account", "Contact"):
            return {}
        of_contact = {**OBJECTS["Contact"].fields, **self._custom.get("Contact", {})}
        return account_fields(of_contact) if obj.name == "Account" else CONTACT_FIELDS

    def _hides(self, obj: ObjectType, field: Field) -> bool:
        return (obj.name, field.name) in self._hidden

    def _seen(self, obj: str, field: Field) -> Field:
        if (obj, field.name) in self._required:
            field = replace(field, nillable=False)
        if (obj, field.name) in self._read_only:
            field = replace(field, createable=False, updateable=False)
        return field


def _choice(given: str | Mapping[str, Any]) -> Choice:
    choice = Choice(given) if isinstance(given, str) else Choice(**given)
    if not all(isinstance(value, type(getattr(_A_CHOICE, name))) for name, value in asdict(choice).items()):
        raise TypeError(
            f"{choice}: value and label are text, closed, won and default are true or false, probability is a number"
        )
    return choice


def _with_choices(field: Field, choices: Sequence[Choice]) -> Field:
    """Let a field have other values; one that had a default has its first value as default, unless another is marked."""
    first = choices[0].value if choices and field.defaulted else None
    default = next((choice.value for choice in choices if choice.default), first)
    return replace(
        field,
        values=tuple(choice.value for choice in choices),
        labels={choice.value: choice.label for choice in choices if choice.label},
        default=default,
        defaulted=default is not None,
    )
