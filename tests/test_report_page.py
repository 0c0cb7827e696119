"""The page of the report in a real browser: it loads nothing, says nothing wrong, sorts, and fits a phone."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from filled_days import BUDGET, FIELDS, PROJECT, ROLE, STEP, in_use, lacks, on, report, waits

from connector_core.filling.counts import CallBehind
from connector_core.filling.report import Example, FieldInUse, Filters
from connector_core.reports.page import page

EVIL = "<script>alert(1)</script>"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
NAMED = "CONNECTOR_TEST_BROWSER"
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 375, "height": 812}


def written(*more: FieldInUse) -> str:
    """Make a page with all that a page can have."""
    made = report(
        [
            on(9, BUDGET, 30, 12, 4, 0, 3, reasons={"too_long": 1, "validation_rule": 2}),
            on(10, STEP, 5, 1, 4, 20),
            on(10, PROJECT, 3, 0, 2, 0, 9, reasons={"object_not_linked": 9}),
            on(3, BUDGET, 9, 9),
            *(on(10, it, 1, 1) for it in more),
        ],
        waiting=[waits(STEP, "Ada Agent", 12, 9), waits(STEP, EVIL, 8, 3)],
        missing=[lacks("opportunity", 6), lacks("opportunity.Project__c.Project__c", 9)],
        fields=(*FIELDS, *more),
    )
    call = CallBehind("x:1", dt.date(2026, 3, 9), "deal", "budget", "other", "validation_rule", EVIL, "Ada")
    return page(made, [Example(BUDGET.key, "other", "validation_rule", (call,))])


# -- without a browser


def test_whatever_is_in_the_data_stays_text() -> None:
    """Names, organizers and the CRM's sentences are escaped; of addresses only those of the web become links."""
    evil = in_use(EVIL, "account.Industry", template_name=EVIL, template_address="javascript:alert(1)")
    made = written(evil)

    assert EVIL not in made
    assert made.count("<script>") == 1
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in made
    assert 'href="javascript' not in made
    assert 'href="https://templates.example/deal"' in made


def test_filters_that_exclude_each_other_are_told_with_a_way_out() -> None:
    """A word, and the command without what has to be reset."""
    made = page(report(filters=Filters(templates=("people",), fields=("role",), mode="manual")))

    assert "The filters template, field, mode exclude each other: reset mode." in made
    assert "--period this-week --template people --field role --format html" in made
    assert "<table" not in made


def test_a_report_without_any_call_is_a_page() -> None:
    """With dashes, where nothing can be divided."""
    made = page(report())

    assert '<p class="big">–</p>' in made


def test_without_a_template_it_is_told_how_to_publish_one() -> None:
    """With the command."""
    made = page(report(fields=()))

    assert "Connection acme has no published template." in made
    assert "connector templates publish TEMPLATE --connection acme" in made


# -- in a browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser that is installed here."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: uv sync")
    named = os.environ.get(NAMED) or next(filter(None, map(shutil.which, BROWSERS)), None)
    if named is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed; {NAMED} may name one")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=named, args=["--no-sandbox"])
        yield opened
        opened.close()


Opened = Callable[..., Any]


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Opened]:
    """Open a page as a person does, from a file; what it asks for, and what it complains of, has to be nothing."""
    told: list[str] = []
    contexts = []

    def opening(text: str, viewport: dict[str, int] = DESKTOP, **context: Any) -> Any:
        file = tmp_path / "report.html"
        file.write_text(text, encoding="utf-8")
        made = browser.new_context(viewport=viewport, **context)
        contexts.append(made)
        tab = made.new_page()
        address = file.as_uri()
        tab.on("request", lambda request: told.extend({request.url.split("#")[0]} - {address}))
        tab.on("console", lambda message: told.append(message.text))
        tab.on("pageerror", lambda error: told.append(str(error)))
        tab.on("dialog", lambda dialog: told.append(dialog.message))
        tab.goto(address)
        return tab

    yield opening
    for made in contexts:
        made.close()
    assert [url for url in told if not url.startswith("data:")] == []


def names(tab: Any) -> list[str]:
    found: list[str] = tab.locator("table.fields tbody th[scope=row][data-of=name]").all_inner_texts()
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_page_loads_nothing_and_fits(opened: Opened, viewport: dict[str, int], scheme: str) -> None:
    """Light and dark, on a desktop and on a phone, with all its details open: nothing reaches beyond its width."""
    tab = opened(written(in_use(EVIL, "account.Industry")), viewport, color_scheme=scheme)
    tab.evaluate("document.querySelectorAll('details').forEach((it) => { it.open = true; })")

    assert tab.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    assert tab.locator(".big").inner_text() == "41.1 %"
    assert tab.locator("svg.rate .dot").count() == 2
    surface = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (min(int(part) for part in surface[4:-1].split(",")) > 128) is (scheme == "light")


def test_columns_are_sorted_by_keyboard(opened: Opened) -> None:
    """Both ways, what is not known last; what is sorted is told to those who do not see it."""
    tab = opened(written())
    assert names(tab) == ["budget", "next_step", "project", "role"]
    button = tab.locator("th[data-column=sent] button")
    button.focus()
    tab.keyboard.press("Enter")
    assert names(tab) == ["budget", "project", "next_step", "role"]
    tab.keyboard.press("Space")
    assert names(tab) == ["next_step", "project", "budget", "role"]
    assert tab.locator("th[data-column=sent]").get_attribute("aria-sort") == "ascending"
    assert tab.locator("[data-sorted]").text_content() == "Sorted by Sent, ascending"


def test_a_phone_sorts_by_a_list(opened: Opened) -> None:
    """As its table has no head."""
    tab = opened(written(), PHONE)
    tab.select_option("[data-sort]", "name")
    tab.click("[data-turn]")

    assert names(tab) == ["role", "project", "next_step", "budget"]


def test_the_calls_behind_a_number_open_by_keyboard(opened: Opened) -> None:
    """First why a field was not sent, then its first calls."""
    tab = opened(written())
    row = tab.locator("#f-0")
    row.locator(".why > td > details > summary").focus()
    tab.keyboard.press("Enter")
    row.locator("details.calls > summary").focus()
    tab.keyboard.press("Enter")

    assert row.locator("details.calls tbody").inner_text().split() == ["x:1", "9", "March", "2026", "Ada", EVIL]


def test_without_a_script_nothing_is_missing(opened: Opened) -> None:
    """All is in the page; only sorting is not offered."""
    tab = opened(written(), PHONE, java_script_enabled=False)

    assert names(tab) == ["budget", "next_step", "project", "role"]
    assert not tab.locator("[data-sort]").is_visible()


def test_nothing_of_the_page_needs_colour_or_a_picture(opened: Opened) -> None:
    """What charts show is said in words, and every control has a name."""
    tab = opened(written())

    assert tab.locator("svg[role=img]").evaluate_all("all => all.every((it) => it.getAttribute('aria-label'))")
    assert tab.locator("button, select, summary, a").evaluate_all(
        "all => all.every((it) => (it.textContent || it.labels[0].textContent).trim())"
    )
    assert ROLE.name in tab.locator("#f-3 svg.bar").get_attribute("aria-label")


LUMINANCE = """it => {
  const of = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map((part) => {
    const share = part / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }).reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
  let behind = it;
  while (/^rgba\\(.*, 0\\)$|transparent/.test(getComputedStyle(behind).backgroundColor)) behind = behind.parentElement;
  const [one, other] = [of(getComputedStyle(it).color), of(getComputedStyle(behind).backgroundColor)].sort((a, b) => b - a);
  return (one + 0.05) / (other + 0.05);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_have_contrast(opened: Opened, scheme: str) -> None:
    """At least 4.5 to 1, as https://www.w3.org/TR/WCAG22/#contrast-minimum wants it."""
    tab = opened(written(), color_scheme=scheme)
    tab.evaluate("document.querySelectorAll('details').forEach((it) => { it.open = true; })")
    texts = tab.locator("p, td, th, dt, dd, li b, small, summary, code, a, button, .change")

    assert min(texts.evaluate_all(f"all => all.map({LUMINANCE})")) >= 4.5
