"""Templates as YAML, for people to read, to keep beside their code, and to bring to another connection.

A document is one template, or a list of them; a file may have several documents. What is left out has its default.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from connector_core.errors import InputError
from connector_core.filling.templates import Template
from connector_core.validation import path, words

_BREAKS = ("\r", "\x85", "\u2028", "\u2029")
"""What ends a line beside ``\\n``: in a block of lines it would be read as ``\\n``."""


@dataclass(frozen=True, slots=True)
class _Problem:
    line: int | None
    text: str

    def told(self, source: str) -> str:
        where = source if self.line is None else f"{source}, line {self.line}"
        return f"{where}: {self.text}"


def read_templates(content: bytes, source: str) -> tuple[Template, ...]:
    """Read templates, each id once.

    :param source: What people call the file.
    :raises InputError: With everything that is wrong, a line each: ``FILE, line N: fields.0.key is required``.
    """
    problems: list[_Problem] = []
    found: dict[str, Template] = {}
    try:
        for node, value in _documents(content.decode("utf-8-sig"), problems):
            for part, template in _templates(node, value, problems):
                if template.id in found:
                    problems.append(_Problem(_line(part), f"id: template {template.id} stands twice in this file"))
                found[template.id] = template
    except UnicodeDecodeError as error:
        problems.append(_Problem(None, f"is no UTF-8 (byte {error.start + 1})"))
    except RecursionError:
        problems.append(_Problem(None, "is nested too deeply"))
    except yaml.YAMLError as error:
        problems.append(_no_yaml(error))
    if not found and not problems:
        problems.append(_Problem(None, "holds no template"))
    if problems:
        problems.sort(key=lambda it: it.line or 0)
        raise InputError("\n".join(dict.fromkeys(it.told(source) for it in problems)))
    return tuple(found.values())


def write_templates(templates: Iterable[Template]) -> str:
    """Write templates, in the order of the model, each in a document of its own; prompts of several lines as blocks.

    :func:`read_templates` gives the same templates again.
    """
    plain = [it.model_dump(mode="json", exclude_defaults=True) for it in templates]
    text: str = yaml.dump_all(
        plain, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100, explicit_start=len(plain) > 1
    )
    return text


# -- reading -----------------------------------------------------------------------------------------------------------


class _Loader(yaml.SafeLoader):
    """Reads texts and numbers, lists and mappings: ``no`` and ``2026-03-02`` are texts, as nothing else is wanted there.

    It takes no aliases: a few lines of them could stand for more than any memory holds, or for themselves.
    """

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse what stands for something else."""
        if self.check_event(yaml.AliasEvent):
            mark = self.get_event().start_mark  # type: ignore[no-untyped-call]  # the stubs leave it untyped
            raise yaml.MarkedYAMLError(problem="an alias is not taken: write out what it stands for", problem_mark=mark)
        return super().compose_node(parent, index)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Say where a number stands that Python cannot read."""
        try:
            return super().construct_object(node, deep)
        except (ValueError, IndexError) as error:  # PyYAML looks at the first character of ``!!int ""``
            raise yaml.MarkedYAMLError(
                problem="is no number: put it in quotes", problem_mark=node.start_mark
            ) from error


_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "null", "seq", "map")}
_Loader.yaml_constructors = {
    tag: make for tag, make in yaml.SafeLoader.yaml_constructors.items() if tag in {*_TAGS, None}
}
_Loader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in known if tag in _TAGS]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _documents(text: str, problems: list[_Problem]) -> Iterator[tuple[yaml.Node, Any]]:
    """Give each document that says anything as a tree with lines, and as a value."""
    loader = _Loader(text)
    try:
        while loader.check_node() and (node := loader.get_node()) is not None:
            problems += [_Problem(_line(key), f"{key.value}: stands twice") for key in _twice(node)]
            value = loader.construct_document(node)
            if value is not None:
                yield node, value
    finally:
        loader.dispose()


def _templates(node: yaml.Node, value: Any, problems: list[_Problem]) -> Iterator[tuple[yaml.Node, Template]]:
    """Give the templates of a document that are right, each with where it stands."""
    several = isinstance(node, yaml.SequenceNode)
    for place, (part, item) in enumerate(zip(node.value, value, strict=True) if several else [(node, value)]):
        if not isinstance(item, dict):
            problems.append(_Problem(_line(part), "wanted a template: id, name, fields, perhaps address and targeting"))
            continue
        try:
            yield part, Template.model_validate(item)
        except ValidationError as error:
            for detail in _deepest(error):
                there = _at(part, detail["loc"])
                where = path((place, *detail["loc"]) if several else detail["loc"])
                problems.append(_Problem(_line(there), f"{where or 'template'}: {_said(words(detail), there)}"))


def _deepest(error: ValidationError) -> Iterator[ErrorDetails]:
    """Give what is wrong, but for lists that are too short since what is in them is wrong."""
    found = error.errors(include_url=False, include_input=False)
    for it in found:
        under = any(other["loc"][: len(it["loc"])] == it["loc"] for other in found if other is not it)
        if not (it["type"] == "too_short" and under):
            yield it


def _said(what: str, there: yaml.Node) -> str:
    """Say how text is written that looks like a number."""
    number = what == "should be text" and isinstance(there, yaml.ScalarNode) and there.value
    return f"{what}: put it in quotes" if number else what


def _twice(node: yaml.Node) -> Iterator[yaml.ScalarNode]:
    """Give the keys that stand in a mapping once more."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _twice(item)
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, item in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    yield key
                seen.add(key.value)
            yield from _twice(item)


def _at(node: yaml.Node, steps: tuple[int | str, ...]) -> yaml.Node:
    """Give what stands at the end of a path, as far as it leads: where a key is missing, what should have it."""
    for step in steps:
        if isinstance(node, yaml.MappingNode):
            under = next((item for key, item in node.value if key.value == str(step)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            under = node.value[step]
        else:
            under = None
        if under is None:
            break
        node = under
    return node


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _no_yaml(error: yaml.YAMLError) -> _Problem:
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        return _Problem(mark.line + 1 if mark else None, error.problem or error.context or "is no YAML")
    return _Problem(None, "is no YAML: it has a character that YAML does not take")


# -- writing -----------------------------------------------------------------------------------------------------------


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines as a block, and items of a list further in than its key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Let no list stand as far out as its key."""
        super().increase_indent(flow, indentless=False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = None
    if any(it in text for it in _BREAKS):
        style = '"'
    elif "\n" in text:
        style = "|"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
