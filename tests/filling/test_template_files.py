"""Templates as YAML: what is written is read again, and what is wrong in a file is told at once, each at its line."""

from __future__ import annotations

import textwrap
from contextlib import suppress

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from made_templates import templates

from connector_core.errors import InputError
from connector_core.filling.templates import Template
from connector_core.template_file import read_templates, write_templates

DEMO = """\
id: demo
name: Demo calls
targeting:
  teams:
    - Mid-market
  shortest_seconds: 300.0
fields:
  - key: next_step
    object: opportunity
    field: NextStep
    prompt: |-
      What was agreed upon?
      One sentence.
    patterns:
      - 'next step: (.+)'
"""


def read(text: str) -> tuple[Template, ...]:
    """Read a file of that text."""
    return read_templates(textwrap.dedent(text).encode(), "demo.yaml")


def told(text: str | bytes) -> list[str]:
    """Give the lines that tell what is wrong with a file."""
    with pytest.raises(InputError) as refused:
        read_templates(text if isinstance(text, bytes) else textwrap.dedent(text).encode(), "demo.yaml")
    return str(refused.value).splitlines()


# -- laws


@given(st.lists(templates(), min_size=1, max_size=3, unique_by=lambda it: it.id))
def test_what_is_written_is_read_again(some: list[Template]) -> None:
    """Whatever their texts are, one or several."""
    assert read_templates(write_templates(some).encode(), "demo.yaml") == tuple(some)


@given(st.lists(templates(), min_size=1, max_size=2, unique_by=lambda it: it.id))
def test_any_reader_of_yaml_reads_what_is_written(some: list[Template]) -> None:
    """It means the same without our own reader."""
    read_by_others = [Template.model_validate(it) for it in yaml.safe_load_all(write_templates(some))]

    assert read_by_others == some


@given(st.binary(max_size=60) | st.text(alphabet="&*!|>%@`-:?,[]{}#'\"ab1 \n\t~<", max_size=60).map(str.encode))
def test_no_bytes_are_a_defect(content: bytes) -> None:
    """They are templates, or what is wrong with them is told."""
    with suppress(InputError):
        read_templates(content, "demo.yaml")


# -- reading and writing


def test_a_template_is_written_for_people() -> None:
    """In the order of the model, several lines as a block, and nothing that goes without saying."""
    assert write_templates(read(DEMO)) == DEMO


def test_a_document_is_a_template_or_a_list_and_a_file_has_several() -> None:
    """In their order."""
    one = "{id: %s, name: x, fields: [{key: a, object: contact, field: F}]}"
    text = "\n".join([f"- {one % 'a'}", f"- {one % 'b'}", "---", one % "c", "---", "# nothing"])

    assert [it.id for it in read_templates(text.encode(), "demo.yaml")] == ["a", "b", "c"]


def test_words_that_yaml_takes_for_something_else_are_text() -> None:
    """Nothing else is wanted there: no truths, no days."""
    (read_one,) = read("{id: on, name: 2026-03-02, fields: [{key: yes, object: contact, field: no}]}")

    assert (read_one.id, read_one.name, read_one.fields[0].key, read_one.fields[0].field) == (
        "on",
        "2026-03-02",
        "yes",
        "no",
    )


# -- what is wrong


def test_all_that_is_wrong_is_told_at_once_at_its_line() -> None:
    """With the key's path; in a list also the template's place."""
    text = """\
        - id: Demo calls
          name: 12
          targeting:
            tagged: demo
          fields:
            - key: a
              key: b
              object: Project__c
              field: F
            - object: contact
              field: F
              mode: sometimes
        - id: empty
          name: x
          fields: []
        """

    assert told(text) == [
        "demo.yaml, line 1: 0.id: should be of lower case letters, digits, - and _, at most 64",
        "demo.yaml, line 2: 0.name: should be text: put it in quotes",
        "demo.yaml, line 4: 0.targeting.tagged: is an unknown key",
        "demo.yaml, line 6: 0.fields.0: should say through which field, for another object, and only then",
        "demo.yaml, line 7: key: stands twice",
        "demo.yaml, line 10: 0.fields.1.key: is required",
        "demo.yaml, line 12: 0.fields.1.mode: should be 'automatic' or 'manual'",
        "demo.yaml, line 15: 1.fields: should not be empty",
    ]


def test_an_id_stands_once_in_a_file() -> None:
    """Which of the two is meant cannot be known."""
    one = "{id: demo, name: x, fields: [{key: a, object: contact, field: F}]}"
    expected = ["demo.yaml, line 3: id: template demo stands twice in this file"]

    assert told(f"{one}\n---\n{one}") == expected
    assert told(f"- {one}\n-\n  {one}") == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "demo.yaml: holds no template"),
        ("---\n# nothing\n---\n", "demo.yaml: holds no template"),
        ("demo", "demo.yaml, line 1: wanted a template: id, name, fields, perhaps address and targeting"),
        ("- demo", "demo.yaml, line 1: wanted a template: id, name, fields, perhaps address and targeting"),
        (b"id: \xff", "demo.yaml: is no UTF-8 (byte 5)"),
        ("id: [demo", "demo.yaml, line 1: expected ',' or ']', but got '<stream end>'"),
        ("id: \0", "demo.yaml: is no YAML: it has a character that YAML does not take"),
        ("[" * 10_000, "demo.yaml: is nested too deeply"),
        ("id: &it demo\nname: *it", "demo.yaml, line 2: an alias is not taken: write out what it stands for"),
        ("id: &it [*it]", "demo.yaml, line 1: an alias is not taken: write out what it stands for"),
        ("id: x\nname: 0x_", "demo.yaml, line 2: is no number: put it in quotes"),
        ("id: " + "1" * 5000, "demo.yaml, line 1: is no number: put it in quotes"),
        ("id: !!int ''", "demo.yaml, line 1: is no number: put it in quotes"),
        (
            "{id: x, name: x, fields: [{key: a, object: contact, field: F}],\n 1: x}",
            "demo.yaml, line 2: 1: is an unknown key",
        ),
    ],
    ids=str,
)
def test_what_is_no_template_is_told(content: str | bytes, expected: str) -> None:
    """In words, at its line where there is one."""
    assert told(content) == [expected]


def test_a_tag_makes_nothing() -> None:
    """Nothing of Python's is reached from a file."""
    (line,) = told("id: !!python/object/apply:os.getcwd []")

    assert line.startswith("demo.yaml, line 1: could not determine a constructor for the tag")
