"""``connector templates``: what it prints, what it changes, and with which exit status."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fill_office import FillOffice, fill_office, said
from test_cli_people import configure

from connector_core.cli import main
from connector_core.template_file import read_templates

ACME = ["--connection", "acme"]
JSON = [*ACME, "--json"]
Printed = Callable[[], list[dict[str, Any]]]
Lines = Callable[[], tuple[list[str], list[str]]]
DEMO = """\
id: demo
name: Demo calls
targeting:
  kinds:
    - phone
fields:
  - key: next_step
    object: opportunity
    field: next_step
    prompt: |-
      What was agreed upon?
      One sentence.
    patterns:
      - 'next: (.+)'
  - key: owner
    object: opportunity
    field: owner_id
    mode: manual
    patterns:
      - 'owner: (.+)'
"""
EACH = "import them, and test each by its id"
SAID = said("next: call again").model_dump_json(exclude_none=True)
MEETING = said("next: nothing", number=2, kind="meeting").model_dump_json(exclude_none=True)


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Printed:
    """Give the JSON objects on standard output."""
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    """Give the lines on standard output and on standard error."""

    def read() -> tuple[list[str], list[str]]:
        captured = capsys.readouterr()
        return captured.out.splitlines(), captured.err.splitlines()

    return read


@pytest.fixture(params=["file"])
def at(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FillOffice]:
    """Work in a folder with a configuration, a file with a template, and one with two calls."""
    monkeypatch.chdir(tmp_path)
    Path("demo.yaml").write_text(DEMO, encoding="utf-8")
    Path("calls.jsonl").write_text(f"{SAID}\n{MEETING}\n", encoding="utf-8")
    with fill_office(request.param, tmp_path) as opened:
        configure(opened.at, monkeypatch)
        yield opened


def run(*arguments: str, status: int = 0) -> None:
    """Run a verb, which ends with that status."""
    assert main(["templates", *arguments]) == status


# -- import and export


def test_what_is_exported_is_imported_again(at: FillOffice, lines: Lines) -> None:
    """The very file comes out, and is no new version."""
    run("import", "demo.yaml", *ACME)
    run("export", *ACME)
    out, _ = lines()
    assert out == ["demo  version 1  draft", *DEMO.splitlines()]

    Path("again.yml").write_text("\n".join(out[1:]), encoding="utf-8")
    run("import", "again.yml", *ACME)
    assert lines()[0] == ["demo  version 1  as it was"]


def test_an_import_tells_what_it_changed(at: FillOffice, printed: Printed) -> None:
    """A line a template."""
    Path("two.yaml").write_text(f"{DEMO.replace('Demo calls', 'Demos')}---\n{DEMO.replace('demo', 'other')}", "utf-8")
    run("import", "demo.yaml", *JSON)
    run("import", "two.yaml", *JSON)

    assert printed() == [
        {"id": "demo", "version": 1, "changed": True},
        {"id": "demo", "version": 2, "changed": True},
        {"id": "other", "version": 1, "changed": True},
    ]


def test_templates_are_read_from_standard_input(
    at: FillOffice, printed: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As from a file."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(DEMO.encode())))
    run("import", "-", *JSON)

    assert [it["id"] for it in printed()] == ["demo"]


def test_one_wrong_file_keeps_all_from_being_kept(at: FillOffice, lines: Lines) -> None:
    """All that is wrong in any is told, each with its file and line."""
    Path("wrong.yaml").write_text("id: A B\nname: x\nfields:\n  - key: a\n    object: contact\n", encoding="utf-8")
    Path("twice.yaml").write_text(DEMO, encoding="utf-8")
    run("import", "demo.yaml", "wrong.yaml", "twice.yaml", "gone.yaml", *ACME, status=2)

    assert lines() == (
        [],
        [
            "connector: wrong.yaml, line 1: id: should be of lower case letters, digits, - and _, at most 64",
            "connector: wrong.yaml, line 4: fields.0.field: is required",
            "connector: twice.yaml: id: template demo stands in an earlier file too",
            "connector: gone.yaml: cannot be read (No such file or directory)",
        ],
    )
    assert at.at.ledger.templates.list("acme") == ()


def test_all_templates_are_exported_or_those_that_are_named(at: FillOffice, lines: Lines, printed: Printed) -> None:
    """In a document each; in JSON a line each."""
    Path("two.yaml").write_text(f"{DEMO}---\n{DEMO.replace('demo', 'other')}", encoding="utf-8")
    run("import", "two.yaml", *ACME)
    lines()
    run("export", *ACME)
    text = "\n".join(lines()[0]).encode()
    assert [it.id for it in read_templates(text, "two.yaml")] == ["demo", "other"]

    run("export", "other", "--json", *ACME)
    (row,) = printed()
    assert (row["template"]["id"], row["template"]["fields"][1]["mode"]) == ("other", "manual")


# -- looking


def test_templates_are_listed_with_what_they_are_for(at: FillOffice, lines: Lines) -> None:
    """A newer draft stands beside the version that is in use."""
    run("list", *ACME)
    run("import", "demo.yaml", *ACME)
    run("publish", "demo", "--since", "2026-03-01", *ACME)
    Path("demo.yaml").write_text(DEMO.replace("phone", "meeting"), encoding="utf-8")
    run("import", "demo.yaml", *ACME)
    lines()
    run("list", *ACME)

    assert lines()[0] == [
        "demo  Demo calls  published 1  draft 2",
        "  Meetings.",
        "  for calls since 2026-03-01T00:00:00+00:00",
        "1 template, 1 published",
    ]


def test_show_tells_what_is_filled_and_how(at: FillOffice, lines: Lines) -> None:
    """Prompts line by line."""
    run("import", "demo.yaml", *ACME)
    lines()
    run("show", "demo", *ACME)

    assert lines()[0] == [
        "demo  Demo calls  draft 1",
        "  Phone calls.",
        "  next_step  opportunity.next_step  automatic, overwrite ours",
        "    prompt: What was agreed upon?",
        "            One sentence.",
        "    pattern: next: (.+)",
        "  owner  opportunity.owner_id  manual, overwrite ours",
        "    pattern: owner: (.+)",
    ]


def test_versions_tell_who_kept_them(at: FillOffice, printed: Printed) -> None:
    """The oldest first, each whole; which one is in use."""
    run("import", "demo.yaml", "--as", "Mia", "--role", "manager", *JSON)
    run("publish", "demo", *JSON)
    Path("demo.yaml").write_text(DEMO.replace("Demo calls", "Demos"), encoding="utf-8")
    run("import", "demo.yaml", "--as", "Ben", *JSON)
    printed()
    run("versions", "demo", *JSON)

    rows = printed()
    assert [(row["version"], row["by"], row["published"], row["template"]["name"]) for row in rows] == [
        (1, "Mia", True, "Demo calls"),
        (2, "Ben", False, "Demos"),
    ]


# -- testing


def test_a_draft_is_tested_before_it_is_kept(at: FillOffice, lines: Lines) -> None:
    """What is found in each call, and from which words; nothing is kept, in the CRM or in the ledger."""
    before = at.at.records()
    run("test", "demo.yaml", "calls.jsonl", *ACME)

    assert lines()[0] == [
        "x:1  targeted",
        "  next_step  opportunity.next_step  call again",
        "    found: call again",
        "    from: next: call again",
        "  owner  opportunity.owner_id  nothing was found",
        "x:2  not targeted",
        "1 targeted of 2",
    ]
    assert (at.at.records(), at.at.ledger.templates.list("acme"), at.rows()) == (before, (), [])


def test_a_template_of_the_ledger_is_tested_on_its_calls(at: FillOffice, printed: Printed) -> None:
    """By their ids; in JSON a line a call."""
    run("import", "demo.yaml", *JSON)
    at.hear(said("next: call again"))
    printed()
    run("test", "demo", "x:1", "--ids", *JSON)

    (row,) = printed()
    assert (row["call_id"], row["targeted"]) == ("x:1", True)
    assert row["fields"][0] == {
        "key": "next_step",
        "object": "opportunity",
        "field": "next_step",
        "type": "text",
        "value": "call again",
        "passage": "next: call again",
        "confidence": None,
        "wanted": "call again",
        "outcome": None,
        "reason": None,
        "detail": None,
    }
    assert at.rows() == []


@pytest.mark.usefixtures("at")
def test_a_provider_that_cannot_be_used_is_told_with_its_place_once(lines: Lines) -> None:
    """By file, connection and key."""
    with Path("connector.toml").open("a") as file:
        file.write('[connections.acme.providers.aircall]\ntoken = "env:NOT_SET_ANYWHERE"\n')

    run("test", "demo.yaml", "calls.jsonl", "--provider", "aircall", *ACME, status=2)

    place = "connections.acme.providers.aircall.token"
    why = f"connector.toml: connection acme: {place}: the environment variable NOT_SET_ANYWHERE is not set"
    assert lines()[1] == [f"connector: {why}"]


def test_what_would_be_refused_is_told_by_a_test(at: FillOffice, lines: Lines) -> None:
    """With the reason for that field alone; a record that is meant by name is looked up."""
    Path("calls.jsonl").write_text(said("next: call\nowner: nobody").model_dump_json(exclude_none=True), "utf-8")
    run("test", "demo.yaml", "calls.jsonl", *ACME)

    out, _ = lines()
    assert out[1] == "  next_step  opportunity.next_step  call"
    assert out[4].startswith("  owner  opportunity.owner_id  the value does not fit the field, or the CRM refused it: ")


def test_what_is_wrong_with_a_template_is_told_beside_what_it_finds(at: FillOffice, lines: Lines) -> None:
    """And the exit status says that it could not be published."""
    Path("demo.yaml").write_text(DEMO.replace("field: owner_id", "field: id"), encoding="utf-8")
    run("test", "demo.yaml", "calls.jsonl", *ACME, status=1)

    out, err = lines()
    assert err[0].startswith("template demo, field owner: CRM in a file does not let the connection's user set id of")
    assert out[1] == "  next_step  opportunity.next_step  call again"


def test_a_line_that_is_no_call_is_told(at: FillOffice, lines: Lines) -> None:
    """The others are tested all the same."""
    Path("calls.jsonl").write_text(f"{SAID}\n[]\n", encoding="utf-8")
    run("test", "demo.yaml", "calls.jsonl", *ACME, status=1)

    out, err = lines()
    assert (out[-1], err) == ("1 targeted of 1, 1 line could not be read", ["line 2: is no JSON object"])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["gone", "calls.jsonl"], "connector: connection acme: has no template gone; it has none"),
        (["gone.yaml", "calls.jsonl"], "connector: gone.yaml: cannot be read (No such file or directory)"),
        (["two.yaml", "calls.jsonl"], f"connector: two.yaml: has 2 templates, wanted one: {EACH}"),
        (["demo.yaml", "gone.jsonl"], "connector: gone.jsonl: cannot be read (No such file or directory)"),
        (["demo.yaml", "x:9", "--ids"], "connector: connection acme: has accepted no call x:9"),
    ],
)  # fmt: skip
def test_what_is_not_there_cannot_be_tested(at: FillOffice, lines: Lines, arguments: list[str], expected: str) -> None:
    """It is named."""
    Path("two.yaml").write_text(f"{DEMO}---\n{DEMO.replace('demo', 'other')}", encoding="utf-8")
    run("test", *arguments, *ACME, status=2)

    out, err = lines()
    assert (out, err[-1]) == ([], expected)


# -- publishing


def test_what_is_published_fills_fields_from_then_on(at: FillOffice, printed: Printed) -> None:
    """From the calls that were there already too, where it is said so."""
    at.hear(said("next: call again"))
    run("import", "demo.yaml", *JSON)
    printed()
    run("publish", "demo", "--since", "2026-03-01T00:00:00+01:00", *JSON)

    (row,) = printed()
    assert (row["id"], row["published"], row["since"]) == ("demo", 1, "2026-02-28T23:00:00+00:00")
    assert (row["types"], row["warnings"]) == ({"next_step": "text", "owner": "reference"}, [])
    at.filler.run()
    assert (at.outcome(), at.value()) == (("sent", None), "call again")


@pytest.mark.parametrize("at", ["salesforce"], indirect=True)
def test_what_each_field_takes_is_printed(at: FillOffice, lines: Lines) -> None:
    """Its type, and the bounds that the CRM tells."""
    demo = DEMO.replace("next_step\n    prompt", "NextStep\n    prompt").replace("owner_id", "OwnerId")
    stage = "  - key: stage\n    object: opportunity\n    field: StageName\n    overwrite: always\n    prompt: Which?\n"
    Path("demo.yaml").write_text(demo + stage, encoding="utf-8")
    run("import", "demo.yaml", *ACME)
    run("publish", "demo", *ACME)

    out = lines()[0]
    assert out[4:] == [
        "  next_step  opportunity.NextStep  text: at most 255 characters",
        "  owner  opportunity.OwnerId  reference: User",
        "  stage  opportunity.StageName  choice: 10 values",
    ]


def test_all_that_does_not_fit_the_crm_is_told_and_nothing_is_published(at: FillOffice, lines: Lines) -> None:
    """On standard error, a line each."""
    wrong = DEMO.replace("field: next_step", "field: id").replace("owner: (.+)", "owner: (")
    Path("demo.yaml").write_text(wrong, encoding="utf-8")
    run("import", "demo.yaml", *ACME)
    lines()
    run("publish", "demo", *ACME, status=2)

    out, err = lines()
    assert out == []
    assert [line.split(": ")[1] for line in err] == ["template demo, field next_step", "template demo, field owner"]
    assert at.at.ledger.templates.published("acme") == ()


def test_warnings_go_to_standard_error(at: FillOffice, lines: Lines) -> None:
    """And keep nothing from being published."""
    Path("demo.yaml").write_text(DEMO.replace("    patterns:\n      - 'owner: (.+)'\n", ""), encoding="utf-8")
    run("import", "demo.yaml", *ACME)
    lines()
    run("publish", "demo", *ACME)

    out, err = lines()
    assert out[0] == "demo  Demo calls  published 1"
    assert err == [
        "template demo, field owner: has neither a prompt nor patterns: only values that are handed in fill it"
    ]


def test_what_is_unpublished_is_a_draft(at: FillOffice, lines: Lines) -> None:
    """And fills nothing more."""
    run("import", "demo.yaml", *ACME)
    run("publish", "demo", "--since", "2026-03-01", *ACME)
    lines()
    run("unpublish", "demo", *ACME)
    assert lines()[0] == ["demo  Demo calls  draft 1", "  Phone calls."]
    at.hear(said("next: call again"))
    assert at.rows() == []


def test_what_is_deleted_still_tells_what_it_filled(at: FillOffice, lines: Lines, printed: Printed) -> None:
    """It is listed no more; its versions are, and what came of its fields, which can be taken back."""
    run("import", "demo.yaml", *ACME)
    run("publish", "demo", "--since", "2026-03-01", *ACME)
    at.hear(said("next: call again"))
    run("delete", "demo", *ACME, status=2)
    assert lines()[1] == ["connector: connection acme: template demo is published; unpublish it first"]

    run("unpublish", "demo", *ACME)
    run("delete", "demo", *JSON)
    assert json.loads(lines()[0][-1]) == {"id": "demo", "deleted": True}
    run("list", *ACME)
    assert lines()[0] == ["no templates"]
    run("versions", "demo", *JSON)
    assert [(row["version"], row["published"]) for row in printed()] == [(1, False)]
    (row,) = [row for row in at.rows() if row.field == "next_step"]
    assert main(["fill", "undo", str(row.run), *ACME]) == 0
    assert (at.outcome(), at.value() or None) == (("other", "taken_back"), None)


@pytest.mark.parametrize("since", ["yesterday", "2026-13-01", "0001-01-01", "9999-12-31T23:59:59+00:00", ""])
def test_a_time_that_is_none_is_told(at: FillOffice, lines: Lines, since: str) -> None:
    """Before anything is published."""
    run("import", "demo.yaml", *ACME)
    lines()
    run("publish", "demo", "--since", since, *ACME, status=2)

    assert lines()[1] == [
        f"connector: --since: {since!r} is no time; wanted a day like 2026-03-02, or a time like 2026-03-02T09:00:00Z"
    ]


@pytest.mark.parametrize(
    "arguments", [["import", "demo.yaml"], ["publish", "demo"], ["unpublish", "demo"], ["delete", "demo"]]
)
def test_users_change_no_templates(at: FillOffice, lines: Lines, arguments: list[str]) -> None:
    """Admins and managers do."""
    run("import", "demo.yaml", *ACME)
    Path("demo.yaml").write_text(DEMO.replace("Demo", "Other"), encoding="utf-8")
    lines()
    run(*arguments, "--role", "user", *ACME, status=2)

    assert lines()[1][0].endswith("it takes an admin or a manager")
    assert at.at.ledger.templates.get("acme", "demo").newest.version == 1


@pytest.mark.parametrize("verb", ["show", "versions", "export", "publish", "unpublish", "delete"])
def test_a_template_that_is_not_there_is_told(at: FillOffice, lines: Lines, verb: str) -> None:
    """With the nearest."""
    run("import", "demo.yaml", *ACME)
    lines()
    run(verb, "demos", *ACME, status=2)

    assert lines() == ([], ["connector: connection acme: has no template demos: did you mean demo?"])
