"""What stands in a cassette: requests and answers as values, and where they come from."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any, Literal, TypeAlias, get_args
from urllib.parse import parse_qsl, urlencode, urlsplit

from pydantic import BaseModel, SecretStr

from connector_core import discovery
from connector_core.manifest import ConnectionInfo, CrmManifest, load

Origin: TypeAlias = Literal["live", "self-hosted", "sandbox"]
ORIGINS: tuple[str, ...] = get_args(Origin)
Pairs: TypeAlias = tuple[tuple[str, str], ...]
Kind: TypeAlias = Literal["json", "form", "text", "base64"]
KINDS: tuple[str, ...] = get_args(Kind)


class CassetteError(AssertionError):
    """A cassette that cannot be written, read, or played as it was recorded; the message names the file and what to do."""


@dataclass(frozen=True)
class Provenance:
    """Where the exchanges of a cassette come from.

    ``origin``: ``live`` is an account of the service, ``self-hosted`` a real server of open-source software, ``sandbox``
    our reading of the service. ``recorded_at``: ISO 8601, UTC. ``versions``: what recorded it, by distribution.
    ``settings``: the connection's; in a file its secrets are placeholders. ``ids``: of the world's records, world id to
    CRM id. ``info``: what the adapter was told of its connection (``regions``, ``time_zone``).
    """

    origin: Origin
    plugin: str
    recorded_at: str
    versions: Mapping[str, str]
    settings: Mapping[str, Any]
    ids: Mapping[str, str]
    info: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def now(
        cls,
        manifest: CrmManifest,
        origin: Origin,
        settings: Mapping[str, Any],
        *,
        ids: Mapping[str, str],
        info: ConnectionInfo,
    ) -> Provenance:
        """Describe what is about to be recorded: the time, the versions, and addresses that the settings leave to default.

        :raises ConfigurationError: The plugin's settings model cannot be loaded.
        """
        model: type[BaseModel] = load(manifest.settings, of=f"plugin {manifest.name}")
        addresses = {
            name: spec.default
            for name, spec in model.model_fields.items()
            if isinstance(spec.default, str) and spec.default.startswith("https://")
        }
        shown = {name: value.get_secret_value() if isinstance(value, SecretStr) else value
                 for name, value in {**addresses, **settings}.items()}  # fmt: skip
        moment = dt.datetime.now(dt.UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
        told = {"regions": list(info.regions), "time_zone": info.time_zone}
        return cls(origin, manifest.name, moment, _versions(manifest.name), shown, dict(ids), told)


def _versions(plugin: str) -> dict[str, str]:
    """Give the versions of core, plugin, and what the plugin stands on."""
    found = discovery.crms().get(plugin)
    names = ["connector-core", "vcrpy"]
    if found is not None:
        needed = [re.split(r"[^A-Za-z0-9._-]", need)[0] for need in metadata.requires(found.distribution) or ()]
        names += [found.distribution] if found.distribution == "connector-core" else [found.distribution, *needed]
    return {name: metadata.version(name) for name in sorted(set(names))}


@dataclass(frozen=True, slots=True)
class Body:
    """A body as a value: JSON, the pairs of a form, text, or what is neither, in base64."""

    kind: Kind
    value: Any

    @classmethod
    def of(cls, content: bytes, content_type: str) -> Body:
        """Read content; what cannot be given back with the same meaning stays text."""
        try:
            text = content.decode()
        except UnicodeDecodeError:
            return cls("base64", base64.b64encode(content).decode())
        if "json" in content_type or (not content_type and text[:1] in ("{", "[")):
            try:
                return cls("json", json.loads(text, object_pairs_hook=_unique, parse_constant=_no_json))
            except (ValueError, RecursionError):
                return cls("text", text)
        if "application/x-www-form-urlencoded" in content_type:
            pairs = tuple(parse_qsl(text, keep_blank_values=True))
            return cls("form", pairs) if pairs else cls("text", text)
        return cls("text", text)

    def content(self) -> bytes:
        """Give the bytes."""
        match self.kind:
            case "json":
                return json.dumps(self.value, ensure_ascii=False, separators=(",", ":")).encode()
            case "form":
                return urlencode(self.value).encode()
            case "text":
                return str(self.value).encode()
            case "base64":
                return base64.b64decode(self.value)

    def shown(self) -> str:
        """Give a text that is equal where bodies mean the same: 1, 1.0 and true are three values."""
        match self.kind:
            case "json":
                return json.dumps(self.value, ensure_ascii=False, indent=1, sort_keys=True)
            case "form":
                return "\n".join(f"{name}={value}" for name, value in sorted(self.value))
            case _:
                return str(self.value)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a name stands twice")
    return value


def _no_json(text: str) -> Any:
    raise ValueError(text)


NO_BODY = Body("text", "")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request. ``url`` ends before the query, whose pairs are decoded; names of headers are lower-case."""

    method: str
    url: str
    query: Pairs = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body = NO_BODY

    @classmethod
    def of(cls, method: str, address: str, headers: Mapping[str, str], content: bytes) -> Asked:
        """Read a request as it was sent."""
        parts = urlsplit(address)
        lowered = {name.lower(): str(text) for name, text in headers.items()}
        return cls(
            method.upper(),
            f"{parts.scheme}://{parts.netloc}{parts.path or '/'}",
            tuple(parse_qsl(parts.query, keep_blank_values=True)),
            lowered,
            Body.of(content, lowered.get("content-type", "")),
        )

    def parts(self) -> dict[str, str]:
        """Give what two requests are compared by."""
        address = urlsplit(self.url)
        port = address.port or {"http": 80, "https": 443}.get(address.scheme, 0)
        return {
            "method": self.method,
            "scheme": address.scheme,
            "host": address.hostname or "",
            "port": str(port),
            "path": address.path,
            "query": "\n".join(f"{name}={value}" for name, value in sorted(self.query)),
            "body": self.body.shown(),
        }

    def __str__(self) -> str:
        """Name it as a person would: the method and the path."""
        return f"{self.method} {urlsplit(self.url).path}"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; names of headers are lower-case, and the length is that of the body."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body = NO_BODY


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer. ``together``: another thread sent it than the one that opened the tape, so that its
    place among its like is chance."""

    asked: Asked
    answer: Answer
    together: bool = False


@dataclass(frozen=True, slots=True)
class Cassette:
    """A cassette, read."""

    provenance: Provenance
    exchanges: Sequence[Exchange]


class Tape:
    """A cassette while it is recorded or played."""

    def __init__(self, provenance: Provenance) -> None:
        """Start with no request."""
        self.provenance = provenance
        self.sent: list[Asked] = []
        """The requests so far."""
        self.slept: list[float] = []
        """The waits so far, in seconds; on replay they take no time."""
        self.lock = threading.Lock()

    @property
    def requests(self) -> int:
        """How many requests were made so far."""
        return len(self.sent)


def differences(wanted: Asked, got: Asked) -> Collection[str]:
    """Name the parts in which two requests differ."""
    recorded, sent = wanted.parts(), got.parts()
    return [name for name in recorded if recorded[name] != sent[name]]
