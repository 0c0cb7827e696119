"""What is written: subjects, bodies, and the changes to an activity that is there."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_core.model import Call
from connector_core.writing import render

START = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
FULL: dict[str, Any] = {
    "id": "aircall:1",
    "provider": "aircall",
    "kind": "phone",
    "direction": "outbound",
    "status": "completed",
    "outcome": "Connected",
    "started_at": START,
    "duration_seconds": 1805,
    "participants": [],
    "link": "https://calls.example/1",
    "recording_url": "https://calls.example/1/recording",
    "topics": ["pricing", "security"],
    "summary": "They want a quote.",
    "highlights": ["Budget is set", "Decides in April"],
    "notes": [{"text": "Call back", "author": "Ada Agent"}],
    "comments": [{"text": "Well done", "author": "Manager"}],
    "tags": ["demo"],
}


def call(**changes: Any) -> Call:
    return Call.model_validate({**FULL, **changes})


def body(fmt: render.BodyFormat, limit: int = 32_000, wanted: Sequence[str] = render.PARTS, **changes: Any) -> str:
    text = render.body(call(**changes), fmt, limit, wanted)
    assert text is not None
    return text


def test_a_text_body_says_all_that_the_call_brought() -> None:
    """One part after the other, the ref line last."""
    assert body("text") == (
        "Call: aircall, outbound, Connected, 30 min 5 s\n"
        "Link: https://calls.example/1\n"
        "Summary: They want a quote.\n"
        "Highlights:\n- Budget is set\n- Decides in April\n"
        "Topics: pricing, security\n"
        "Notes:\n- Call back (Ada Agent)\n"
        "Comments:\n- Well done (Manager)\n"
        "Tags: demo\n"
        "Recording: https://calls.example/1/recording\n"
        "ref: aircall:1"
    )


def test_an_html_body_shows_markup_as_text() -> None:
    """What people typed is never taken for markup."""
    assert "<p><strong>Summary:</strong> &lt;b&gt;5 &lt; 6 &amp; &quot;so&quot;&lt;/b&gt;</p>" in body(
        "html", summary='<b>5 < 6 & "so"</b>'
    )


@pytest.mark.parametrize("fmt", ["text", "html"])
def test_controls_are_left_out(fmt: render.BodyFormat) -> None:
    """No service can be relied on to store them, and no person sees them."""
    unseen = "\x00\x1b\x7f"
    noted = [{"text": f"Call{unseen} back", "author": f"Ada{unseen} Agent"}]
    said = {"summary": f"A{unseen}B", "topics": [f"pri{unseen}cing"], "outcome": f"Con{unseen}nected", "notes": noted}
    clean = {"summary": "AB", "topics": ["pricing"], "notes": [{"text": "Call back", "author": "Ada Agent"}]}

    assert body(fmt, **said) == body(fmt, **clean)


def test_an_html_body_links_only_web_addresses() -> None:
    """A link that is none stays text."""
    assert "href" not in body("html", link="javascript:alert(1)", recording_url=None)


@pytest.mark.parametrize("fmt", ["text", "html"])
def test_whole_parts_go_first_when_a_body_is_too_long(fmt: render.BodyFormat) -> None:
    """The recording goes before the tags, these before the comments; what is left is whole."""
    shorter = body(fmt, limit=len(body(fmt)) - 1)

    assert ("Recording" in shorter, "Tags" in shorter) == (False, True)


@pytest.mark.parametrize("fmt", ["text", "html"])
def test_parts_that_went_are_named(fmt: render.BodyFormat) -> None:
    """Before the ref line; with all parts there nothing is said."""
    shown = _Shown()
    shown.feed(body(fmt, limit=len(body(fmt)) - 1))

    assert re.search(r"Left out: recording\s*ref: aircall:1$", shown.text)
    assert "Left out" not in body(fmt)


def test_what_is_left_out_is_not_told_where_only_the_link_fits() -> None:
    """The link is worth more than that."""
    assert body("text", limit=100) == (
        "Call: aircall, outbound, Connected, 30 min 5 s\nLink: https://calls.example/1\nref: aircall:1"
    )


def test_a_summary_that_is_too_long_alone_is_cut_between_words() -> None:
    """Link and ref line stay."""
    text = body("text", limit=200, summary="word " * 100)

    left_out = "Left out: notes, highlights, topics, comments, tags, recording"
    assert text.splitlines()[1:] == ["Link: https://calls.example/1", text.splitlines()[2], left_out, "ref: aircall:1"]
    assert text.splitlines()[2].endswith("word…")


@pytest.mark.parametrize("whole", ["e\u0301", "👍🏽", "👩\u200d🚒", "❤\ufe0f"])
def test_a_cut_is_never_inside_of_what_a_reader_sees_as_one(whole: str) -> None:
    """An accent of its own, a colour, what is joined, and what says how a sign is shown."""
    cuts = {render.subject(call(title=f"xxxx{whole}xx"), [], limit) for limit in range(3, 5 + utf_16(whole))}

    assert cuts <= {"xx…", "xxx…", "xxxx…", f"xxxx{whole}…"}


@pytest.mark.parametrize("fmt", ["text", "html"])
def test_a_fact_that_is_too_long_keeps_room_for_the_link(fmt: render.BodyFormat) -> None:
    """Facts, link and ref line are never left out, so that none of what a person typed may fill a body alone."""
    assert "https://calls.example/1" in body(fmt, limit=900, outcome="Connected " * 200)


def test_a_body_in_which_not_even_the_link_fits_is_none() -> None:
    """Then nothing is written rather than something broken."""
    assert render.body(call(), "text", 20) is None


def test_a_body_has_the_parts_that_are_asked_for_in_their_order() -> None:
    """Facts first and the ref line last, whatever is asked for."""
    assert body("text", wanted=("tags", "link", "summary")) == (
        "Call: aircall, outbound, Connected, 30 min 5 s\n"
        "Tags: demo\n"
        "Link: https://calls.example/1\n"
        "Summary: They want a quote.\n"
        "ref: aircall:1"
    )


@pytest.mark.parametrize("fmt", ["text", "html"])
@pytest.mark.parametrize("wanted", [(), ("summary", "tags")])
def test_the_link_is_there_without_being_asked_for(fmt: render.BodyFormat, wanted: Sequence[str]) -> None:
    """Before the others."""
    assert body(fmt, wanted=wanted) == body(fmt, wanted=("link", *wanted))


@pytest.mark.parametrize("fmt", ["text", "html"])
def test_what_goes_first_is_not_up_to_the_order(fmt: render.BodyFormat) -> None:
    """The recording goes before the summary though it stands first."""
    wanted = ("recording", "summary")
    shorter = body(fmt, limit=len(body(fmt, wanted=wanted)) - 1, wanted=wanted)

    assert ("Recording" in shorter, "They want a quote." in shorter) == (False, True)


def test_a_body_is_rewritten_and_extended_with_the_parts_of_its_form() -> None:
    """Not with all that there are."""
    wanted = ("summary",)
    added = render.extend("Mine.", call(), "text", 32_000, wanted)
    new = render.rewrite(added, body("text", wanted=wanted), call(summary="New"), "text", 32_000, ("tags",))

    assert added == f"Mine.\n\n{body('text', wanted=wanted)}"
    assert new == f"Mine.\n\n{body('text', wanted=('tags',))}"


words = st.text(max_size=400)
orders = st.lists(st.sampled_from(render.PARTS), unique=True)
TRICKS = (
    "<script>alert(1)</script>",
    "</p>",
    "<a href='javascript:x'>",
    "<!--",
    "]]>",
    "&lt;",
    "&",
    '"',
    "'",
    ">",
    "\n",
)
FORMULAS = ("=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "word", " ")
tricks = st.lists(st.sampled_from((*TRICKS, *FORMULAS)), min_size=1, max_size=12).map("".join)


def utf_16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


class _Balance(HTMLParser):
    """Counts what is open."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


class _Shown(HTMLParser):
    """Keeps what a reader sees, and the markup around it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.markup: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.text += "\n" if tag == "br" else ""
        self.markup |= {tag, *(f"{tag} {name}={value}" for name, value in attrs)}

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.markup.add("a comment")

    def unknown_decl(self, data: str) -> None:
        self.markup.add("a declaration")


@given(tricks, tricks, tricks, orders)
def test_what_people_typed_stays_text_in_any_order(summary: str, note: str, title: str, wanted: list[str]) -> None:
    """Markup shows as it was typed, and a body begins with our own word, so that nothing in it is taken for a formula."""
    link = f'https://x.example/"{"".join(note.split())}'
    said = {"summary": summary, "notes": [{"text": note}], "title": title, "link": link}
    text = body("text", wanted=wanted, **said)
    shown = _Shown()
    shown.feed(body("html", wanted=wanted, **said))
    shown.close()
    ours = {"p", "strong", "br", "ul", "li", "a", f"a href={link}", f"a href={FULL['recording_url']}"}

    assert shown.markup <= ours
    assert not title.strip() or render.subject(call(**said), [], 999) == " ".join(title.split())
    assert (text.startswith("Call: aircall"), shown.text.startswith("Call: aircall")) == (True, True)
    for name, typed in (("summary", summary), ("notes", note)):
        if name in wanted:
            assert (typed.strip() in text, typed.strip() in shown.text) == (True, True)


@given(words, words, st.lists(words, max_size=3), st.integers(250, 900), orders)
def test_a_body_keeps_its_limit_and_its_ref_line(
    summary: str, title: str, topics: list[str], limit: int, wanted: list[str]
) -> None:
    """Whatever was said, and however little room there is; HTML stays well formed."""
    for fmt in ("text", "html"):
        text = body(fmt, limit, wanted, summary=summary, topics=topics, title=title)
        if fmt == "html":
            parser = _Balance()
            parser.feed(text)
            assert (parser.open, text.endswith("<p>ref: aircall:1</p>")) == ([], True)
        else:
            assert text.splitlines()[-1] == "ref: aircall:1"
        assert utf_16(text) <= limit


def test_what_somebody_wrote_stays_and_ours_is_added_once() -> None:
    """To every character; the second time there is nothing to add."""
    extended = render.extend("My own note.\n", call(), "text", 32_000)

    assert extended is not None
    assert extended.startswith("My own note.\n\nCall: aircall")
    assert render.extend(extended, call(summary="Another one"), "text", 32_000) is None


@pytest.mark.parametrize("fmt", ["text", "html"])
@given(existing=words, limit=st.integers(0, 500))
def test_a_body_that_is_extended_keeps_its_limit(fmt: render.BodyFormat, existing: str, limit: int) -> None:
    """Or nothing is added."""
    extended = render.extend(existing, call(), fmt, limit)

    assert extended is None or (utf_16(extended) <= limit and extended.startswith(existing.rstrip()[:limit]))


@pytest.mark.parametrize(("fmt", "existing"), [("text", "ref: aircall:10"), ("html", "<p>ref: aircall:10</p>")])
def test_the_ref_of_another_call_is_not_ours(fmt: render.BodyFormat, existing: str) -> None:
    """aircall:1 is not aircall:10."""
    assert not render.carries_ref(existing, "aircall:1", fmt)


def test_an_id_with_markup_is_recognised_in_html() -> None:
    """It is escaped when it is written, and found again."""
    odd = call(id="a<b>&1")

    assert render.carries_ref(render.body(odd, "html", 9_000) or "", odd.id, "html")


@pytest.mark.parametrize(
    ("changes", "names", "expected"),
    [
        ({"title": "Weekly\x00 call"}, ["Dora"], "Weekly call"),
        ({"title": "  Discovery\n call "}, [], "Discovery call"),
        ({}, ["Carl Customer", " "], "Outbound call with Carl Customer"),
        ({"kind": "meeting", "direction": None}, ["Carl", "Lea"], "Meeting with Carl, Lea"),
        ({"direction": None}, [], "Call"),
        ({"title": "x" * 300}, [], "x" * 254 + "…"),
        ({"title": "🙂" * 300}, [], "🙂" * 127 + "…"),
    ],
)
def test_a_subject_is_the_title_or_says_who_was_there(changes: dict[str, Any], names: list[str], expected: str) -> None:
    """On one line, within the limit."""
    assert render.subject(call(**changes), names, 255) == expected
