"""What a field holds beyond its type, by the CRM's own name of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from connector_core.model import FieldDescription

TextForm: TypeAlias = Literal["line", "lines", "html", "email", "phone", "url"]
NumberForm: TypeAlias = Literal["number", "int", "long", "percent", "fraction"]
"""``percent`` holds 12 for 12 %, ``fraction`` 0.12; ``int`` and ``long`` are whole, ``int`` of 32 bits."""

_TEXTS: Mapping[str, TextForm] = {
    **dict.fromkeys(("string", "combobox", "encryptedstring", "char"), "line"),
    "email": "email",
    **dict.fromkeys(("phone", "phone_number", "phonenumber"), "phone"),
    "url": "url",
    # HubSpot's and Odoo's word for rich text, and Salesforce's (``extraTypeInfo`` of a describe).
    **dict.fromkeys(("html", "richtextarea"), "html"),
}
_NUMBERS: Mapping[str, NumberForm] = {
    "int": "int",
    "integer": "int",
    "long": "long",
    # Salesforce's API gives 12 for 12 %, and only its formulas count in hundredths (help.salesforce.com, article
    # 000380436); HubSpot's properties with the display hint "percentage" hold 0.12 (not seen in traffic).
    "percent": "percent",
    "percentage": "fraction",
}


def text_form(field: FieldDescription) -> TextForm:
    """Tell what a field for text holds: text of several lines, where the CRM's name of its type says nothing else."""
    return _TEXTS.get(field.crm_type, "lines") if field.type == "text" else "lines"


def number_form(field: FieldDescription) -> NumberForm:
    """Tell what a field for numbers holds: any number, where the CRM's name of its type says nothing else."""
    return _NUMBERS.get(field.crm_type, "number")
