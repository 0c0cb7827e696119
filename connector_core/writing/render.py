"""What an activity says: a subject and a body, as text or HTML, within the limits of a CRM.

A body is a list of parts in the order that is asked for, between a line of facts and the ``ref:`` line. When it is too
long, whole parts go, the least important first, wherever they stand, and a line names them. The link and the ``ref:`` line
always stay, and the facts too, but in a text that somebody else all but filled: there not even that line may fit, and the
receipt says what went, see :mod:`connector_core.writing.room`. A single part that is too long alone is cut between words,
before it is escaped: never inside a character or an entity. Limits count characters as the services do, see
:func:`~connector_core.characters.units`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from connector_core.characters import beginning, clean, units
from connector_core.model import Call, Note

BodyFormat: TypeAlias = Literal["text", "html"]
LONGEST_FACT = 255
KIND_WORDS = {"phone": "Call", "meeting": "Meeting"}
PARTS = ("link", "summary", "highlights", "topics", "notes", "comments", "tags", "recording")
"""The parts that may be asked for; the link is there without being asked for, before the others."""
PARTS_SAID = tuple(part for part in PARTS if part not in ("link", "recording"))
"""Those that say something: without any of them there is nothing to write a note of."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part: a label with a text or with items. The higher ``weight``, the sooner it goes; 0 stays."""

    label: str
    items: tuple[str, ...]
    weight: int
    listed: bool = False


def subject(call: Call, names: Iterable[str], limit: int) -> str:
    """Give the title of a call, or one made from its kind and its people, in at most ``limit`` characters."""
    text = _line(call.title or "")
    if not text:
        people = ", ".join(name for name in map(_line, names) if name)
        kind = KIND_WORDS[call.kind]
        kind = f"{call.direction.capitalize()} {kind.lower()}" if call.direction and call.kind == "phone" else kind
        text = f"{kind} with {people}" if people else kind
    return _cut(text, limit)


def body(call: Call, fmt: BodyFormat, limit: int, wanted: Sequence[str] = PARTS) -> str | None:
    """Write what a call brought, in at most ``limit`` characters; None where not even link and ``ref:`` line fit.

    :param wanted: Which parts, in their order.
    """
    parts = _parts(call, wanted)
    left_out: tuple[str, ...] = ()
    while True:
        told = [Part("Left out", (", ".join(left_out),), 0)] if left_out else []
        text = _render(call, [*parts, *told], fmt)
        if units(text) <= limit:
            return text
        loose = [part for part in parts if part.weight]
        if not loose:
            bare = [part for part in parts if part.label == "Link"]
            fitting = (_render(call, few, fmt) for few in (parts, bare))
            return next((text for text in fitting if units(text) <= limit), None)
        worst = max(loose, key=lambda part: part.weight)
        if len(loose) == 1 and (shorter := _shortened(call, [*parts, *told], worst, fmt, limit)) is not None:
            return shorter
        parts = [part for part in parts if part is not worst]
        left_out = (worst.label.lower(), *left_out)


def loose(call: Call, wanted: Sequence[str]) -> tuple[str, ...]:
    """Give which of these parts a call says something in, but for the link: those that may go."""
    return tuple(part.label.lower() for part in _parts(call, wanted) if part.weight)


def ref_line(call_id: str) -> str:
    """Give the last line of a body, by which an activity without a key field is recognised."""
    return f"ref: {call_id}"


def extend(existing: str | None, call: Call, fmt: BodyFormat, limit: int, wanted: Sequence[str] = PARTS) -> str | None:
    """Add what a call brought to a body that somebody else wrote, and keep every character of it.

    None: leave it as it is, since ours stands in it already or nothing of ours fits.
    """
    there = beside(existing, None, call.id, fmt)
    if there is None:
        return None
    head, _ = there
    ours = body(call, fmt, limit - units(head), wanted)
    return None if ours is None else f"{head}{ours}"


def rewrite(
    existing: str | None, ours: str, call: Call, fmt: BodyFormat, limit: int, wanted: Sequence[str] = PARTS
) -> str | None:
    """Put what a call brought in the place of what we had written of it, and keep every character around it.

    None: leave the body as it is, since somebody changed our part, or nothing of ours fits.
    """
    there = beside(existing, ours, call.id, fmt)
    if there is None:
        return None
    head, tail = there
    new = body(call, fmt, limit - units(head) - units(tail), wanted)
    if new is not None and new.split() == ours.split():
        return existing
    return None if new is None else f"{head}{new}{tail}"


def beside(existing: str | None, ours: str | None, call_id: str, fmt: BodyFormat) -> tuple[str, str] | None:
    """Give what stays of a body before and after the place of our part.

    None: it has no such place, since somebody changed our part, or it stands there without our knowing.

    :param ours: What we had written of it; None where we wrote nothing.
    """
    if ours is not None:
        return around(existing or "", ours)
    if existing is None or not existing.strip():
        return "", ""
    if carries_ref(existing, call_id, fmt):
        return None
    return (f"{existing.rstrip()}\n\n" if fmt == "text" else existing), ""


def around(existing: str, ours: str) -> tuple[str, str] | None:
    """Give what stands before and after our part of a body; None where it is not there as we wrote it.

    Line ends and blanks are the CRM's own: to some, an edit anywhere turns all ``\\n`` into ``\\r\\n``.
    """
    if ours in existing:
        head, _, tail = existing.partition(ours)
        return head, tail
    words = ours.split()
    found = re.search(r"\s+".join(map(re.escape, words)), existing) if words else None
    return (existing[: found.start()], existing[found.end() :]) if found else None


def carries_ref(existing: str, call_id: str, fmt: BodyFormat) -> bool:
    """Tell whether a body has the ``ref:`` line of this call."""
    lines = re.split(r"<[^>]*>|\n", existing) if fmt == "html" else existing.splitlines()
    wanted = ref_line(call_id)
    return any((html.unescape(line) if fmt == "html" else line).strip() == wanted for line in lines)


# -- the parts


def _parts(call: Call, wanted: Sequence[str]) -> list[Part]:
    facts = [
        call.provider,
        call.direction or "",
        "" if call.status == "completed" else call.status,
        _cut(_line(call.outcome or ""), LONGEST_FACT),
        _duration(call.length_seconds),
    ]
    parts = [
        Part("Link", _some(call.link), 0),
        Part("Summary", _some(call.summary), 1),
        Part("Highlights", _all(call.highlights), 3, listed=True),
        Part("Topics", _some(", ".join(_all(call.topics))), 4),
        Part("Notes", _notes(call.notes), 2, listed=True),
        Part("Comments", _notes(call.comments), 5, listed=True),
        Part("Tags", _some(", ".join(_all(call.tags))), 6),
        Part("Recording", _some(call.recording_url), 7),
    ]
    named = {part.label.lower(): part for part in parts if part.items}
    order = wanted if "link" in wanted else ("link", *wanted)
    first = Part(KIND_WORDS[call.kind], (", ".join(fact for fact in facts if fact),), 0)
    return [first, *(named[name] for name in order if name in named)]


def _some(text: str | None) -> tuple[str, ...]:
    return _all([text or ""])


def _all(texts: Iterable[str] | None) -> tuple[str, ...]:
    return tuple(said for text in texts or () if (said := clean(text)))


def _notes(notes: Iterable[Note] | None) -> tuple[str, ...]:
    said = ((clean(note.text), clean(note.author or "")) for note in notes or ())
    return tuple(f"{text} ({author})" if author else text for text, author in said if text)


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return (
        " ".join(f"{number} {unit}" for number, unit in ((hours, "h"), (minutes, "min"), (rest, "s")) if number)
        or "0 s"
    )


# -- the formats


def _render(call: Call, parts: Iterable[Part], fmt: BodyFormat) -> str:
    write: Callable[[Part], str] = _html if fmt == "html" else _text
    blocks = [write(part) for part in parts]
    ref = ref_line(call.id)
    if fmt == "html":
        return "".join([*blocks, f"<p>{html.escape(ref)}</p>"])
    return "\n".join([*blocks, ref])


def _text(part: Part) -> str:
    if part.listed:
        return "\n".join([f"{part.label}:", *(f"- {item}" for item in part.items)])
    return f"{part.label}: {part.items[0]}"


def _html(part: Part) -> str:
    items = [html.escape(item).replace("\n", "<br>") for item in part.items]
    if part.listed:
        rows = "".join(f"<li>{item}</li>" for item in items)
        return f"<p><strong>{part.label}</strong></p><ul>{rows}</ul>"
    if part.label in {"Link", "Recording"} and part.items[0].lower().startswith(("https://", "http://")):
        return f'<p><strong>{part.label}:</strong> <a href="{items[0]}">{items[0]}</a></p>'
    return f"<p><strong>{part.label}:</strong> {items[0]}</p>"


# -- cutting


def _shortened(call: Call, parts: list[Part], long: Part, fmt: BodyFormat, limit: int) -> str | None:
    """Cut the one part that may go to the longest beginning that fits; None where none does."""
    text = "\n".join(long.items)
    fits: str | None = None
    low, high = 1, units(text) - 1
    while low <= high:
        middle = (low + high) // 2
        cut = Part(long.label, (_cut(text, middle),), long.weight)
        rendered = _render(call, [cut if part is long else part for part in parts], fmt)
        if units(rendered) <= limit:
            fits, low = rendered, middle + 1
        else:
            high = middle - 1
    return fits


def _cut(text: str, limit: int) -> str:
    """Cut to ``limit`` characters, between words where a blank is near, with an ellipsis."""
    if units(text) <= limit:
        return text
    head = beginning(text, limit - 1)
    blank = head.rfind(" ")
    return (head[:blank] if blank > len(head) * 3 // 4 else head).rstrip() + "…"


def _line(text: str) -> str:
    return " ".join(clean(text).split())
