"""Amounts that name their currency, held against that of the record, or the organization's where the record names none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from connector_core.connection import Connection
from connector_core.filler.items import Item
from connector_core.filling.coercion import Context, Refused, coerce, names_currency
from connector_core.model import FieldValue


def is_money(item: Item) -> bool:
    """Tell whether an item's value is an amount that names its currency."""
    return item.description.type == "number" and names_currency(item.row.value)


def currency_of(connection: Connection) -> str | None:
    """Ask for the organization's currency; None where it has none, or the plugin does not tell.

    :raises ConnectorError: It cannot be asked.
    """
    told = "describe_organization" in connection.operations
    return connection.describe_organization().currency if told else None


def says_currency(item: Item) -> str | None:
    """Name the field of the record that an item's amount is held against; None where there is none to hold it against."""
    return item.description.currency_field if is_money(item) else None


def foreign(item: Item, values: Mapping[str, FieldValue | None], context: Context) -> Refused | None:
    """Say why an amount is not in the currency of its record; where that names none, the organization's counts.

    :param values: What was read of the record.
    """
    field = says_currency(item)
    if field is None:
        return None
    if field not in values:
        return Refused("other_currency", f"the CRM hides {field}, which says the record's currency, from the user")
    value = coerce(
        item.row.value, item.description, replace(context, currency=str(values[field] or "") or context.currency)
    )
    return value if isinstance(value, Refused) and value.reason == "other_currency" else None
