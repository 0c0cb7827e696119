"""Templates made up by Hypothesis, with all that they may say."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from connector_core.filling.templates import Template

SLUGS = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,12}", fullmatch=True)
ODD = [
    "no",
    "1:30",
    "2026-03-02",
    "~",
    " - a: b # c",
    "\n",
    "\n  in\n\n out \n",
    "tab\tbed\n",
    "a\r\nb",
    "a\x85\u2028b",
    "|",
]
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.sampled_from(ODD)
NAMES = TEXTS.filter(str.strip)
LISTS = st.lists(TEXTS, max_size=3)
TARGETINGS = st.fixed_dictionaries(
    {},
    optional={
        "teams": LISTS,
        "tags": LISTS,
        "kinds": st.lists(st.sampled_from(["phone", "meeting"]), max_size=2),
        "directions": st.lists(st.sampled_from(["inbound", "outbound", "internal"]), max_size=3),
        "providers": LISTS,
        "shortest_seconds": st.floats(0, 1e9) | st.integers(0, 10**9),
    },
)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "prompt": TEXTS,
        "mode": st.sampled_from(["automatic", "manual"]),
        "overwrite": st.sampled_from(["ours", "empty", "always"]),
        "patterns": LISTS,
    },
)


@st.composite
def fields(draw: st.DrawFn) -> dict[str, Any]:
    """Make a field of an object that the call has, or of one that is reached through it."""
    record = draw(st.sampled_from(["contact", "lead", "account", "opportunity"]))
    where = {"object": record}
    if draw(st.booleans()):
        where = {"object": f"{draw(SLUGS)}__c", "through": f"{record}.{draw(NAMES)}"}
    return {"key": draw(SLUGS), "field": draw(NAMES), **where, **draw(OPTIONS)}


@st.composite
def templates(draw: st.DrawFn) -> Template:
    """Make a template, each key and each target in it once."""
    one = st.lists(fields(), min_size=1, max_size=4, unique_by=(lambda it: it["key"], lambda it: it["field"]))
    said = st.fixed_dictionaries(
        {"id": SLUGS, "name": NAMES, "fields": one}, optional={"address": TEXTS, "targeting": TARGETINGS}
    )
    return Template.model_validate(draw(said))
