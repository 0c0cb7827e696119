"""``connector login``: a person consents in a browser, and the tokens go into the store of the connection."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from argparse import Namespace
from collections.abc import Mapping
from contextlib import ExitStack

from connector_core import discovery
from connector_core.binding import read_settings
from connector_core.cli import inputs
from connector_core.cli.output import DONE, say, say_json, tell
from connector_core.cli.redirect import PATH, Redirect, belongs, read_answer
from connector_core.config import ConnectionConfig
from connector_core.errors import ConfigurationError, CredentialsError, InputError
from connector_core.manifest import CrmManifest, Login, load
from connector_core.tokens import Grant, MemoryTokens, TokenStore

WAIT_SECONDS = 600.0
_NOT_YET = MemoryTokens(Grant(refresh_token="not-yet"))  # noqa: S106 - what stands for the token that is to come


def run(arguments: Namespace) -> int:
    """Show where to consent, take the answer, and store the tokens.

    :raises ConfigurationError: There is no such connection, it has no store, its CRM no such sign-in, or the port is taken.
    :raises CredentialsError: Nobody consented, or the service refuses.
    """
    connection = inputs.configuration(arguments).connection(arguments.connection)
    with ExitStack() as opened, inputs.naming(connection):
        manifest = discovery.crm(connection.crm)
        login, store = _login(manifest), _store(connection, opened)
        settings = read_settings(manifest, connection.resolved(manifest, _NOT_YET), connection.name)
        state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(64)
        redirect = f"http://localhost:{arguments.port}{PATH}"  # http is taken for localhost alone, by that name
        address = login.authorize_url(settings, redirect, state, _challenge(verifier))
        browser = None if arguments.paste else opened.enter_context(Redirect(arguments.port, state))
        _show(arguments, connection.name, address, redirect)
        answer = browser.answer(WAIT_SECONDS) if browser else _pasted()
        grant = login.exchange(settings, _code(answer, state), redirect, verifier)
        if not grant.refresh_token:
            raise CredentialsError("no refresh token was granted: let the app have offline access, and begin anew")
        with store.refreshing():
            store.write(grant)
    _tell_end(arguments, connection)
    return DONE


def _login(manifest: CrmManifest) -> Login:
    if manifest.login is None:
        raise ConfigurationError(
            f"{manifest.title} has no sign-in by a person's consent; give it a token in its settings"
        )
    login: Login = load(manifest.login, of=f"plugin {manifest.name}")
    return login


def _store(connection: ConnectionConfig, opened: ExitStack) -> TokenStore:
    store = connection.token_store(opened)
    if store is None:
        raise ConfigurationError(
            'settings.refresh_token: should say where the tokens go: "file:PATH", in a folder that can be written, or'
            ' "vault:NAME"'
        )
    store.read()  # what is wrong with the store is told before a person consents
    return store


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _show(arguments: Namespace, name: str, address: str, redirect: str) -> None:
    if arguments.json:
        say_json({"connection": name, "authorize_url": address, "redirect": redirect})
        return
    say(f"The app of connection {name} has to allow the redirect {redirect}. Open this address, and consent:")
    say()
    say(address)


def _tell_end(arguments: Namespace, connection: ConnectionConfig) -> None:
    place = connection.settings["refresh_token"]
    if arguments.json:
        say_json({"connection": connection.name, "tokens": place})
    else:
        say(f"Connection {connection.name} is signed in; its tokens are in {place}.")


def _pasted() -> Mapping[str, str]:
    tell("Then paste the address that the browser was sent to, although it shows no page:")
    with inputs.lines("-") as lines:
        pasted = next(iter(lines), b"").decode(errors="replace").strip()
    if not pasted:
        raise InputError("no address was pasted: begin anew")
    return read_answer(pasted)


def _code(answer: Mapping[str, str], state: str) -> str:
    """Take the code out of an answer.

    :raises CredentialsError: It answers another login than this one, or nobody consented.
    """
    if not belongs(answer, state):
        raise CredentialsError("the answer belongs to another login than this one (its state differs): begin anew")
    if "code" not in answer:
        error = answer.get("error", "")
        why = error if re.fullmatch(r"[a-z_]{1,40}", error) else "no code came"
        raise CredentialsError(f"nobody consented ({why}): begin anew")
    return answer["code"]
