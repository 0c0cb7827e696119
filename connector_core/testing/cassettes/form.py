"""The form of a cassette on disk: YAML that a person can review, and read back it means the same.

Bodies stand as structures, queries and forms decoded, long texts folded. A string in a JSON body that is an address with a
percent-encoded query (as in Salesforce's composite requests) stands as ``!address``, with the query decoded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import yaml

from connector_core.testing.cassettes.exchange import (
    KINDS,
    NO_BODY,
    ORIGINS,
    Answer,
    Asked,
    Body,
    Cassette,
    CassetteError,
    Exchange,
    Pairs,
    Provenance,
)

_WIDTH = 110
_LONG = 80
_BREAKS = re.compile("[\r\x85\u2028\u2029\ufeff]")
"""What YAML folds or drops like ends of lines, where it is not escaped."""
_LIKE_A_NUMBER = re.compile(r"[-+.\d][-+.:\d_TZeEx]*")
"""What some reader of YAML takes for a number or a time, where it is not quoted."""


def write(path: Path, cassette: Cassette) -> None:
    """Write a cassette, making its folder; a reader sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.write_text(dumped(cassette), encoding="utf-8")
    new.replace(path)


def read(path: Path) -> Cassette:
    """Read a cassette.

    :raises CassetteError: It is missing, or is none.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise CassetteError(f"{path}: there is no such cassette; cassettes/README.md says how to record one") from error
    try:
        return loaded(text)
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise CassetteError(f"{path}: is no cassette ({type(error).__name__}: {error})") from error


def dumped(cassette: Cassette) -> str:
    """Give the text of a cassette."""
    source = cassette.provenance
    provenance = {name: _plain(getattr(source, name)) for name in Provenance.__dataclass_fields__}
    document = {"provenance": provenance, "interactions": [_exchange(each) for each in cassette.exchanges]}
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)
    return text


def loaded(text: str) -> Cassette:
    """Read the text of a cassette.

    :raises ValueError: And others, that it is none.
    """
    document = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader, with one constructor more
    provenance = Provenance(**document["provenance"])
    if provenance.origin not in ORIGINS:
        raise ValueError(f"origin is {provenance.origin}, and should be one of {', '.join(ORIGINS)}")
    return Cassette(provenance, tuple(_read_exchange(each) for each in document["interactions"]))


# -- exchanges ---------------------------------------------------------------------------------------------------------


def _exchange(each: Exchange) -> dict[str, Any]:
    asked, answer = each.asked, each.answer
    query, sent, received = _mapped(asked.query), _sorted(asked.headers), _sorted(answer.headers)
    return {
        **({"together": True} if each.together else {}),
        "request": {
            "method": asked.method,
            "url": asked.url,
            **({"query": query} if query else {}),
            **({"headers": sent} if sent else {}),
            **_body(asked.body),
        },
        "response": {
            "status": answer.status,
            **({"headers": received} if received else {}),
            **_body(answer.body),
        },
    }


def _read_exchange(each: Mapping[str, Any]) -> Exchange:
    asked, answer = each["request"], each["response"]
    return Exchange(
        Asked(
            asked["method"],
            asked["url"],
            _pairs(asked.get("query", {})),
            asked.get("headers", {}),
            _read_body(asked),
        ),
        Answer(int(answer["status"]), answer.get("headers", {}), _read_body(answer)),
        bool(each.get("together", False)),
    )


def _body(body: Body) -> dict[str, Any]:
    if body == NO_BODY:
        return {}
    match body.kind:
        case "json":
            return {"json": _readable(body.value)}
        case "form":
            return {"form": _mapped(body.value)}
        case kind:
            return {kind: body.value}


def _read_body(part: Mapping[str, Any]) -> Body:
    for kind in KINDS:
        if kind in part:
            return Body(kind, _pairs(part[kind]) if kind == "form" else part[kind])  # type: ignore[arg-type]  # one of KINDS
    return NO_BODY


def _mapped(pairs: Pairs) -> Mapping[str, str] | Sequence[Sequence[str]]:
    """Show pairs as a mapping, where no name stands twice."""
    mapping = dict(pairs)
    return mapping if len(mapping) == len(pairs) else [list(pair) for pair in pairs]


def _pairs(value: Mapping[str, str] | Sequence[Sequence[str]]) -> Pairs:
    return tuple((str(name), str(text)) for name, text in (value.items() if isinstance(value, Mapping) else value))


def _sorted(headers: Mapping[str, str]) -> dict[str, str]:
    return dict(sorted(headers.items()))


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value


# -- YAML --------------------------------------------------------------------------------------------------------------


class _Address(str):
    """A string that is written as ``!address``."""

    __slots__ = ()


def _readable(value: Any) -> Any:
    match value:
        case dict():
            return {name: _readable(item) for name, item in value.items()}
        case list():
            return [_readable(item) for item in value]
        case str() if "?" in value and "%" in value and _joined(*_split(value)) == value:
            return _Address(value)
        case _:
            return value


def _split(address: str) -> tuple[str, dict[str, str]]:
    path, _, query = address.partition("?")
    pairs = (pair.partition("=") for pair in query.split("&"))
    return path, {unquote(name, errors="replace"): unquote(text, errors="replace") for name, _, text in pairs}


def _joined(path: str, query: Mapping[str, str]) -> str:
    return f"{path}?" + "&".join(f"{quote(name, safe='')}={quote(text, safe='')}" for name, text in query.items())


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = None
    if _BREAKS.search(text):
        style = '"'
    elif "\n" in text:
        style = "|"
    elif len(text) > _LONG and " " in text.strip():
        style = ">"
    elif _LIKE_A_NUMBER.fullmatch(text):
        style = "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _address(dumper: yaml.SafeDumper, address: _Address) -> yaml.Node:
    path, query = _split(address)
    return dumper.represent_mapping("!address", {"path": path, "query": query})


def _read_address(loader: yaml.CSafeLoader, node: yaml.Node) -> str:
    if not isinstance(node, yaml.MappingNode):
        raise TypeError("!address wants a path and a query")
    value = loader.construct_mapping(node, deep=True)
    return _joined(value["path"], value["query"])


class _Loader(yaml.CSafeLoader):  # ten times as fast as the one in Python, which counts with long cassettes
    pass


_Dumper.add_representer(str, _text)
_Dumper.add_representer(_Address, _address)
_Loader.add_constructor("!address", _read_address)
