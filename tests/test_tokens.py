"""Tokens of a connection: kept before they are used, fetched once, and not asked for again once they were refused."""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_core.errors import ConfigurationError, CredentialsError, TryAgainError
from connector_core.tokens import REFUSED_FOR, FileTokens, Grant, MemoryTokens, SignIn, TokenStore, exclusive

START = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
TEXT = st.text(min_size=1).filter(lambda text: text == text.strip())


class Service:
    """Grants tokens, numbered; it refuses, or replaces refresh tokens, when told so."""

    def __init__(self, *, rotates: bool = False) -> None:
        self.rotates = rotates
        self.asked: list[str | None] = []
        self.error: Exception | None = None
        self.now = START

    def fetch(self, former: Grant) -> Grant:
        self.asked.append(former.refresh_token)
        if self.error:
            raise self.error
        number = len(self.asked)
        return Grant(f"access-{number}", f"refresh-{number}" if self.rotates else None)

    def sign_in(self, store: TokenStore | None = None, first: Grant | None = None) -> SignIn:
        return SignIn("Plain CRM", self.fetch, first=first or Grant(), store=store, clock=lambda: self.now)


# -- fetching ----------------------------------------------------------------------------------------------------------


def test_threads_share_one_token() -> None:
    """However many ask, the service is asked once, and once more when the token is refused to all of them."""
    service = Service()
    sign_in = service.sign_in()
    with ThreadPoolExecutor(8) as pool:
        grants = list(pool.map(lambda _: sign_in.current(), range(32)))
        others = list(pool.map(sign_in.instead_of, grants))

    assert ({grant.access_token for grant in others}, len(service.asked)) == ({"access-2"}, 2)


def test_a_token_that_is_due_is_renewed_before_it_is_used() -> None:
    """From ``renew_at`` on another one is fetched, although nobody refused it."""
    service = Service()
    sign_in = service.sign_in(first=Grant("access-0", renew_at=START + dt.timedelta(minutes=24)))
    before = sign_in.current()
    service.now += dt.timedelta(minutes=24)

    assert (before.access_token, sign_in.current().access_token) == ("access-0", "access-1")


def test_what_another_process_refreshed_is_taken(tmp_path: Path) -> None:
    """A refused token is looked for in the store first: the service is not asked."""
    service, store = Service(), FileTokens(tmp_path / "tokens")
    store.write(Grant("old", "refresh"))
    sign_in = service.sign_in(store)
    stale = sign_in.current()
    FileTokens(tmp_path / "tokens").write(Grant("new", "refresh"))

    assert (sign_in.instead_of(stale).access_token, service.asked) == ("new", [])


def test_a_refusal_is_not_asked_for_again() -> None:
    """Whoever asks within five minutes hears the same, and the service hears nothing; then it is asked once more."""
    service = Service()
    service.error = CredentialsError("revoked")
    sign_in = service.sign_in(first=Grant("access", "refresh"))
    stale = sign_in.current()
    for _ in range(3):
        with pytest.raises(CredentialsError, match="revoked"):
            sign_in.instead_of(stale)
    with pytest.raises(CredentialsError, match="revoked"):
        sign_in.current()
    once = len(service.asked)
    service.now += REFUSED_FOR
    with pytest.raises(CredentialsError):
        sign_in.current()

    assert (once, len(service.asked)) == (1, 2)


def test_signing_in_anew_ends_a_refusal_at_once(tmp_path: Path) -> None:
    """Another refresh token in the store is tried, without waiting."""
    service, store = Service(), FileTokens(tmp_path / "tokens")
    store.write(Grant(refresh_token="revoked"))
    sign_in = service.sign_in(store)
    service.error = CredentialsError("revoked")
    with pytest.raises(CredentialsError):
        sign_in.current()
    service.error = None
    store.write(Grant(refresh_token="consented"))

    assert (sign_in.current().access_token, service.asked) == ("access-2", ["revoked", "consented"])


def test_a_service_that_cannot_answer_is_asked_again() -> None:
    """Not answering is no refusal."""
    service = Service()
    sign_in = service.sign_in()
    service.error = TryAgainError("maintenance")
    with pytest.raises(TryAgainError):
        sign_in.current()
    service.error = None

    assert sign_in.current().access_token == "access-2"


# -- replaced refresh tokens -------------------------------------------------------------------------------------------


def test_a_replaced_refresh_token_is_kept_before_its_access_token_is_given_out(tmp_path: Path) -> None:
    """Whoever gets the access token finds its refresh token in the store, and the next refresh uses it."""
    service, store = Service(rotates=True), FileTokens(tmp_path / "tokens")
    store.write(Grant(refresh_token="first"))
    sign_in = service.sign_in(store)
    grant = sign_in.current()
    kept = store.read()
    sign_in.instead_of(grant)

    assert (kept, service.asked) == (Grant("access-1", "refresh-1"), ["first", "refresh-1"])


def test_a_replacement_that_only_memory_holds_is_told_once_and_not_lost(caplog: pytest.LogCaptureFixture) -> None:
    """The caller hears once what, why and what to do, and so does the log; this process goes on with the new token."""
    service = Service(rotates=True)
    sign_in = service.sign_in(first=Grant(refresh_token="first"))
    with (
        caplog.at_level(logging.ERROR, "connector_core.tokens"),
        pytest.raises(ConfigurationError, match=r'replaced the refresh token.*in memory alone.*"file:PATH"'),
    ):
        sign_in.current()
    grant = sign_in.current()
    later = sign_in.instead_of(grant)

    assert (grant.access_token, later.access_token) == ("access-1", "access-2")
    assert (service.asked, len(caplog.records)) == (["first", "refresh-1"], 1)


class FullDisk:
    """A store of tokens whose folder goes while the service is asked, and comes back with :meth:`mend`."""

    def __init__(self, service: Service, tmp_path: Path) -> None:
        self.folder, self.away = tmp_path / "secrets", tmp_path / "away"
        self.folder.mkdir()
        self.store = FileTokens(self.folder / "tokens")
        self.store.write(Grant(refresh_token="first"))
        self.sign_in = service.sign_in(self.store)
        fetch = service.fetch

        def full(former: Grant) -> Grant:
            self.folder.rename(self.away)
            return fetch(former)

        self.sign_in._fetch = full
        for _ in range(2):
            with pytest.raises(ConfigurationError, match=r"cannot be (written|opened)"):
                self.sign_in.current()
        self.sign_in._fetch = fetch

    def mend(self) -> None:
        self.away.rename(self.folder)


def test_a_replacement_that_cannot_be_stored_is_stored_later(tmp_path: Path) -> None:
    """It is not used and not fetched anew: it is kept, told, and stored as soon as that is possible."""
    service = Service(rotates=True)
    disk = FullDisk(service, tmp_path)
    disk.mend()

    assert (disk.sign_in.current(), disk.store.read(), service.asked) == (Grant("access-1", "refresh-1"),) * 2 + (
        ["first"],
    )


def test_a_replacement_that_cannot_be_stored_gives_way_to_a_login(tmp_path: Path) -> None:
    """Who signed in meanwhile is served with what that brought, and keeps it."""
    disk = FullDisk(Service(rotates=True), tmp_path)
    disk.mend()
    login = Grant("consented", "of-the-login")
    disk.store.write(login)

    assert (disk.sign_in.current(), disk.store.read()) == (login, login)


def test_a_replacement_that_was_stored_late_is_renewed_when_it_is_due(tmp_path: Path) -> None:
    """Its access token may have ended while it could not be stored: its refresh token brings another one."""
    service = Service(rotates=True)
    disk = FullDisk(service, tmp_path)
    disk.mend()

    assert (disk.sign_in.instead_of(Grant("access-1")).access_token, service.asked) == (
        "access-2",
        ["first", "refresh-1"],
    )


# -- the file ----------------------------------------------------------------------------------------------------------


@given(TEXT | st.none(), TEXT | st.none(), st.datetimes(timezones=st.timezones()) | st.none(), TEXT | st.none())
def test_a_grant_survives_being_stored(
    access: str | None, refresh: str | None, at: dt.datetime | None, origin: str | None
) -> None:
    """Whatever a service grants is read as it was written."""
    grant = Grant(access, refresh, at.astimezone(dt.UTC) if at else None, origin)

    assert Grant.parse(json.loads(json.dumps(grant.dump()))) == grant


@pytest.mark.parametrize(
    ("text", "grant"),
    [("", Grant()), ("1//refresh\n", Grant(refresh_token="1//refresh")), ('{"access_token": "a"}', Grant("a"))],
)
def test_a_file_holds_a_bare_refresh_token_or_json(tmp_path: Path, text: str, grant: Grant) -> None:
    """What a person writes into it is a refresh token."""
    path = tmp_path / "tokens"
    path.write_text(text)

    assert FileTokens(path).read() == grant


@pytest.mark.parametrize(
    "content",
    [
        b"{secret-7f3a",
        b'{"token": "secret-7f3a"}',
        b'{"access_token": 7}',
        b'{"access_token": "a", "renew_at": "2026-03-02T09:00:00"}',
        b"\xff\xfe secret-7f3a",
        b'{"a":' * 5_000,
    ],
)
def test_a_file_with_something_else_is_told_without_its_content(tmp_path: Path, content: bytes) -> None:
    """The message names the file and what it should hold; neither it nor what caused it shows a word of the file."""
    path = tmp_path / "tokens"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="holds no tokens: write the refresh token into it") as caught:
        FileTokens(path).read()

    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_only_its_owner_may_read_the_file(tmp_path: Path) -> None:
    """Mode 0600, whatever the mask is and whatever stood there before; nothing is left beside it."""
    path = tmp_path / "tokens"
    path.write_text("first")
    path.chmod(0o644)
    mask = os.umask(0)
    try:
        FileTokens(path).write(Grant("access", "refresh"))
    finally:
        os.umask(mask)

    assert (stat.S_IMODE(path.stat().st_mode), list(tmp_path.iterdir())) == (0o600, [path])


def test_what_a_link_leads_to_is_replaced(tmp_path: Path) -> None:
    """A link stays one."""
    (tmp_path / "real").write_text("first")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    FileTokens(tmp_path / "link").write(Grant("access"))

    assert ((tmp_path / "link").is_symlink(), FileTokens(tmp_path / "real").read()) == (True, Grant("access"))


def test_a_process_that_is_killed_while_it_writes_leaves_a_whole_grant(tmp_path: Path) -> None:
    """Whenever it was killed, the file holds one grant or another, and the next write cleans up."""
    path = tmp_path / "tokens"
    code = (
        "import sys, pathlib, itertools; from connector_core.tokens import FileTokens, Grant\n"
        "store = FileTokens(pathlib.Path(sys.argv[1]))\n"
        "for number in itertools.count(): store.write(Grant(str(number) * 20_000)); print(number, flush=True)"
    )
    for writes in range(8):
        with subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE) as writer:  # noqa: S603 - our own code
            assert writer.stdout is not None
            for _ in range(writes + 1):
                writer.stdout.readline()
            writer.send_signal(signal.SIGKILL)
        token = FileTokens(path).read().access_token or ""
        assert token == token[: len(token) // 20_000] * 20_000 != ""
    FileTokens(path).write(Grant("last"))

    assert [item.name for item in tmp_path.iterdir()] == ["tokens"]


def test_a_killed_process_lets_go_of_the_lock(tmp_path: Path) -> None:
    """Nobody has to clean up after it."""
    lock = tmp_path / "lock"
    code = (
        "import sys, time, pathlib; from connector_core.tokens import exclusive\n"
        "with exclusive(pathlib.Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, lock], stdout=subprocess.PIPE)  # noqa: S603 - our own code
    with holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        holder.send_signal(signal.SIGKILL)
        with exclusive(lock):
            pass


def test_no_token_is_shown() -> None:
    """Neither a grant nor a store shows a token when it is printed."""
    grant = Grant("access-7f3a", "refresh-7f3a")

    assert "7f3a" not in repr((grant, MemoryTokens(grant), Service().sign_in(first=grant)))
