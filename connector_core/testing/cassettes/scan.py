"""A look at a cassette's raw text for what must never be published: secrets, real people, accounts.

It reads the file as a stranger would, and through nothing that scrubs. What is invented passes: e-mail addresses and hosts
of the domains that RFC 2606 reserves, and phone numbers of the ranges that are kept for fiction: North America's 555-01xx
(nanpa.com), France's 01 99 00, 02 61 91, 03 53 01, 04 65 71, 05 36 49 and 06 39 98 (arcep.fr, decision 2018-0881), and the
United Kingdom's (ofcom.org.uk, "Numbers for use in TV and radio drama").
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote

from connector_core.testing.cassettes.scrub import PLACEHOLDER

PUBLIC_HOSTS = frozenset(
    {
        "127.0.0.1",
        "api.hubapi.com",
        "app.hubspot.com",
        "developers.hubspot.com",
        "knowledge.hubspot.com",
        "localhost",
        "login.salesforce.com",
        "test.salesforce.com",
    }
)
"""Hosts that are the same for everybody."""

_RESERVED = re.compile(r"(.+\.)?(example(\.(com|net|org))?|test|invalid|localhost|call\.connector)", re.IGNORECASE)
"""Domains of nobody; ``call.connector`` is that of the Message-Ids which the connector makes of calls' ids."""

_FICTION = re.compile(
    r"1\d{3}55501"
    r"|330?(19900|26191|35301|46571|53649|63998)"  # some services keep the 0 of the national form behind the 33
    r"|44(2079460|7700900|1632960|8081570|9098790|3069990|2890180|2920180|1914980|1(1[3-8]|21|31|41|51|61)4960)"
)
_SECRETS: Mapping[str, re.Pattern[str]] = {
    "a JSON web token": re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}"),
    "a token in a header": re.compile(r"(?i)\b(bearer|basic)\s+(?!scrubbed-)[\w.~+/=-]{8,}"),
    "an authorization": re.compile(r"(?i)\b(proxy-)?authorization['\"]?:"),
    "a cookie": re.compile(r"(?i)\b(set-)?cookie['\"]?:"),
    "a Salesforce session": re.compile(r"\b00D[0-9A-Za-z]{9,15}![\w.]{8,}"),
    "a HubSpot token": re.compile(r"\bpat-[a-z]{2}\d-[\w-]{8,}"),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"),
    "a key in hexadecimal": re.compile(r"\b[0-9a-f]{40,}\b"),
    "a secret": re.compile(
        r"(?i)\b(access_token|refresh_token|id_token|client_secret|password|api_?key|session_?id|sid|signature|assertion)"
        rf"['\"]?\s*[:=]\s*(?!['\"]?{PLACEHOLDER}|null\b|''|\"\"|['\"]?\s*$)\S"
    ),
}
_BASE64 = re.compile(r"(?<![\w+/=-])[A-Za-z0-9+/]{16,}={0,2}(?![\w+/=-])")
_LONG = re.compile(r"[\w=-]{40,}")
_EMAIL = re.compile(r"(?<![\w.%+'-])[\w.%+'-]+@((?:[\w-]+\.)+[A-Za-z]{2,})")
_HOST = re.compile(r"(?i)https?://([^/\s'\"<>:?#\\]+)")
_ACCOUNT_HOST = re.compile(
    r"(?i)(?<![\w.@-])((?:[a-z0-9-]+\.)+(?:salesforce\.com|force\.com|hubspot\.com|hubapi\.com|odoo\.com))\b"
)
_PHONES: Mapping[str, re.Pattern[str]] = {
    "": re.compile(r"\+\d[\d ().-]{6,18}\d|(?<![\w.-])00[1-9]\d{7,12}(?!\w)"),
    "33": re.compile(r"(?<![\w.-])0[1-9](?:[ .-]?\d\d){4}(?![\w-])"),
    "1": re.compile(r"(?<![\w.-])(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?![\w-])"),
}


_SHORTEST_NUMBER = 8


def scan(path: Path, *, hosts: Collection[str] = PUBLIC_HOSTS) -> list[str]:
    """List what looks like a secret, a real person or an account, as ``file:line: what``; nothing of it is shown.

    :param path: A file, or a folder, whose cassettes are all read.
    :param hosts: Hosts that may be named.
    """
    files = sorted(path.rglob("*.yaml")) if path.is_dir() else [path]
    return [
        f"{file}:{number}: {what}"
        for file in files
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1)
        for what in dict.fromkeys(_seen(line, hosts))
    ]


def _seen(line: str, hosts: Collection[str]) -> Iterator[str]:
    shown = {line, unquote(line)}
    opened = {_opened(text) for text in shown}
    if any(_mixed(it[0]) for text in opened for it in _LONG.finditer(text)):
        yield "a long random text"
    for text in shown | opened:
        yield from (what for what, pattern in _SECRETS.items() if pattern.search(text))
        if any(not _RESERVED.fullmatch(it[1]) for it in _EMAIL.finditer(text)):
            yield "an e-mail address that is not of an example's domain"
        named = [it[1].lower() for pattern in (_HOST, _ACCOUNT_HOST) for it in pattern.finditer(text)]
        if any(not _may_be_named(host, hosts) for host in named):
            yield "a host that is not on the list"
        if any(not _fictional(code, it[0]) for code, pattern in _PHONES.items() for it in pattern.finditer(text)):
            yield "a phone number that is not of a range for fiction"


def _opened(line: str) -> str:
    """Show what was only written in base64, as a stranger could; what is no text then stays, and looks random."""
    return _BASE64.sub(lambda found: _decoded(found[0]) or found[0], line)


def _decoded(text: str) -> str | None:
    try:
        said = base64.b64decode(text, validate=True).decode()
    except ValueError:  # of both: no base64, no UTF-8
        return None
    return said if all(char.isprintable() or char.isspace() for char in said) else None


def _mixed(text: str) -> bool:
    kinds: tuple[Callable[[str], bool], ...] = (str.islower, str.isupper, str.isdigit)
    return all(any(kind(letter) for letter in text) for kind in kinds)


def _may_be_named(host: str, hosts: Collection[str]) -> bool:
    return host in hosts or host.startswith("example.") or _RESERVED.fullmatch(host) is not None


def _fictional(code: str, written: str) -> bool:
    digits = re.sub(r"\D", "", written.replace("(0)", ""))
    if len(digits) < _SHORTEST_NUMBER:
        return True  # the rest of it stands on another line
    national = digits[1:] if code == "33" else digits
    return _FICTION.match(code + (national if code else digits.removeprefix("00"))) is not None
