"""What is put in place of secrets and of the addresses of accounts, once, as a cassette is saved.

The same secret becomes the same placeholder wherever it stands: in the settings, in a form that signs in, in the answer that
grants a token. So what is replayed with the placeholders makes the requests that were recorded. Ids stay.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, SecretStr, ValidationError

from connector_core import addresses, discovery
from connector_core.manifest import load
from connector_core.references import is_secret
from connector_core.testing.cassettes.exchange import Answer, Asked, Body, CassetteError, Exchange, Pairs, Provenance

PLACEHOLDER = "scrubbed-"
"""What every placeholder of a secret starts with."""
LOOPBACK = "http://127.0.0.1:1"
"""The address of every server on this machine: a port at which nothing listens, and that is the same in each recording."""

_REQUEST_HEADERS = re.compile(r"accept|content-type|idempotency-key|if-(none-)?match|sforce-.+")
_ANSWER_HEADERS = re.compile(
    r"allow|content-type|deprecation|etag|link|location|retry-after|sforce-limit-info|sunset|www-authenticate|.*ratelimit.*"
)
_GRANTED = re.compile(r"(?i)(.*[_-])?(token|secret|password|assertion|signature)|api[_-]?key|session[_-]?id|sid")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_HIDDEN_ANYWHERE = 8
"""From how many characters on a secret is replaced within longer texts; a shorter one only where it is the whole value."""


class Scrubber:
    """The placeholders of one recording."""

    def __init__(self, provenance: Provenance, secrets: Collection[str] = ()) -> None:
        """Learn what is secret by the settings.

        :param secrets: Further texts that must not be saved: tokens, addresses of people, hosts.
        """
        self._stands_for: dict[str, str] = {}
        self._taken: set[str] = set()
        settings = {name: _revealed(value) for name, value in provenance.settings.items()}
        model = _settings_model(provenance.plugin)
        for name, value in settings.items():
            if isinstance(value, str) and (is_secret(name) or name == "client_id"):
                self._learn(name, value)
            elif isinstance(value, str) and re.match(r"https?://", value):
                self._learn_address(name, value, settings, model)
        for secret in sorted(secrets):
            self._learn("secret", secret)
        self.provenance = replace(provenance, settings=self._value(settings))

    def scrubbed(self, exchanges: Sequence[Exchange]) -> list[Exchange]:
        """Replace what is secret; of headers, only those that tell something of the contract are kept."""
        for each in exchanges:
            for body in (each.asked.body, each.answer.body):
                self._learn_granted(body)
        return [
            replace(
                each,
                asked=Asked(
                    each.asked.method,
                    self._text(each.asked.url),
                    self._pairs(each.asked.query),
                    self._headers(each.asked.headers, _REQUEST_HEADERS),
                    self._body(each.asked.body),
                ),
                answer=Answer(
                    each.answer.status,
                    self._headers(each.answer.headers, _ANSWER_HEADERS),
                    self._body(each.answer.body),
                ),
            )
            for each in exchanges
        ]

    def check(self, text: str) -> None:
        """Make sure that no secret is left.

        :raises CassetteError: One is; the message says which by its placeholder.
        """
        left = [name for secret, name in self._stands_for.items() if len(secret) >= _HIDDEN_ANYWHERE and secret in text]
        if left:
            raise CassetteError(f"nothing was saved, for secrets are left in it, to be called {', '.join(left)}")

    # -- learning ------------------------------------------------------------------------------------------------------

    def _learn(self, name: str, secret: str) -> None:
        if not secret or secret in self._stands_for or secret in self._taken:
            return
        plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        person = _EMAIL.fullmatch(secret) is not None
        shapes = ("person{}@example.com", 1) if person else (f"{PLACEHOLDER}{plain}{{}}", 0)
        number = shapes[1]
        while (given := shapes[0].format(f"-{number}" if number else "")) in self._taken:
            number = number + 1 if number else 2
        self._taken.add(given)
        self._stands_for[secret] = given

    def _learn_granted(self, body: Body) -> None:
        for name, value in body.value if body.kind == "form" else _named(body.value) if body.kind == "json" else ():
            if isinstance(value, str) and _GRANTED.fullmatch(name):
                self._learn(name, value)

    def _learn_address(
        self, name: str, address: str, settings: Mapping[str, Any], model: type[BaseModel] | None
    ) -> None:
        parts = urlsplit(address)
        stand_in = _stand_in(name, address, settings, model)
        if stand_in is not None:
            self._stands_for[f"{parts.scheme}://{parts.netloc}"] = stand_in
            self._stands_for[parts.netloc] = urlsplit(stand_in).netloc

    # -- replacing -----------------------------------------------------------------------------------------------------

    def _text(self, text: str) -> str:
        if text in self._stands_for:
            return self._stands_for[text]
        for secret in sorted(self._stands_for, key=len, reverse=True):
            if len(secret) >= _HIDDEN_ANYWHERE:
                placeholder = self._stands_for[secret]
                text = text.replace(secret, placeholder)
                text = text.replace(quote(secret, safe=""), quote(placeholder, safe=""))
        return text

    def _value(self, value: Any) -> Any:
        match value:
            case str():
                return self._text(value)
            case Mapping():
                return {
                    self._text(name) if isinstance(name, str) else name: self._value(it) for name, it in value.items()
                }
            case list() | tuple():
                return [self._value(item) for item in value]
            case _:
                return value

    def _body(self, body: Body) -> Body:
        return Body(body.kind, self._pairs(body.value) if body.kind == "form" else self._value(body.value))

    def _pairs(self, pairs: Pairs) -> Pairs:
        return tuple((name, self._text(value)) for name, value in pairs)

    def _headers(self, headers: Mapping[str, str], kept: re.Pattern[str]) -> dict[str, str]:
        return {name: self._text(text) for name, text in headers.items() if kept.fullmatch(name)}


def _revealed(value: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _named(value: Any) -> Iterator[tuple[str, Any]]:
    match value:
        case dict():
            for name, item in value.items():
                yield name, item
                yield from _named(item)
        case list():
            for item in value:
                yield from _named(item)


def _settings_model(plugin: str) -> type[BaseModel] | None:
    found = discovery.crms().get(plugin)
    if found is None or found.manifest is None:
        return None
    model: type[BaseModel] = load(found.manifest.settings, of=f"plugin {plugin}")
    return model


def _stand_in(name: str, address: str, settings: Mapping[str, Any], model: type[BaseModel] | None) -> str | None:
    """Give the address that stands for an account's; None for one that is the same for everybody.

    It must be one that the plugin accepts: first a neutral one, then one whose first label alone is neutral.
    """
    parts = urlsplit(address)
    host = parts.hostname or ""
    if host in addresses.LOOPBACK:
        return LOOPBACK
    field = model.model_fields.get(name) if model else None
    if field is not None and field.default == address:
        return None
    for candidate in ("crm.example.com", f"example.{host.partition('.')[2]}"):
        stand_in = f"{parts.scheme}://{candidate}"
        try:
            if model is not None:
                model.model_validate({**settings, name: stand_in})
        except ValidationError:
            continue
        return stand_in
    raise CassetteError(f"setting {name}: its host cannot be hidden, as the plugin accepts no host for example")
