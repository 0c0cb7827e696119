"""Rich text: what was said, as HTML in which it shows as it was said.

Services keep rich text as HTML, and show a line break in its source as a blank. They write it anew in their own way: with
paragraphs, other line breaks, other names of characters.
"""

from __future__ import annotations

import html
import re

from connector_core.characters import clean, units

_TAG = re.compile(r"<(/?)(p|div|br)\b[^<>]*>", re.IGNORECASE)
_LAST_BREAK = re.compile(r"<br\b[^<>]*>(?=</(?:p|div)\s*>)", re.IGNORECASE)  # a browser shows none there


def as_markup(text: str) -> str:
    """Write a clean text as HTML; blanks at the ends of its lines, which would not show, are left out."""
    return "<br>".join(html.escape(line.strip(), quote=False) for line in text.split("\n"))


def length_of(markup: str) -> int:
    """Count characters as Salesforce does, which keeps quotes by their names too (help.salesforce.com, "Rich Text Area Field
    Considerations").
    """
    return units(markup) + 4 * markup.count("'") + 5 * markup.count('"')


def in_plain_markup(markup: str) -> str | None:
    """Write HTML that is nothing but lines as :func:`as_markup` does, None where they are blank; what is formatted stays."""
    lines = _LAST_BREAK.sub("", markup.replace("\n", " "))
    said = _TAG.sub(lambda tag: "\n" if tag[1] or tag[2].lower() == "br" else "", lines)
    return markup if "<" in said else as_markup(clean(html.unescape(said))) or None
