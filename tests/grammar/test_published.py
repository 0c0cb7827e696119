"""What cannot be had is told, and what is not known is not read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.grammar.published import CannotFetchError, Package, fetch

NOTHING = "z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="
"""The SHA-512 of an empty file."""


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be the only npm of this machine: one that is yet to be written."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder / "npm"


def written(npm: Path, line: str) -> None:
    npm.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    npm.chmod(0o755)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (None, "there is no npm"),
        ("exit 1", "npm cannot fetch it@1"),
        (":", "npm fetched another it 1 than is known"),
        ("echo other > it-1.tgz", "npm fetched another it 1 than is known"),
    ],
)
def test_what_cannot_be_had_is_told(npm: Path, tmp_path: Path, line: str | None, told: str) -> None:
    """No npm, one that fails, one that brings nothing, and one that brings something else."""
    if line:
        written(npm, line)
    with pytest.raises(CannotFetchError, match=told):
        fetch([Package("it", "1", NOTHING)], tmp_path)


def test_what_was_fetched_is_kept(npm: Path, tmp_path: Path) -> None:
    """It is not fetched again."""
    written(npm, ": > it-1.tgz")
    fetch([Package("it", "1", NOTHING)], tmp_path)
    npm.unlink()
    fetch([Package("it", "1", NOTHING)], tmp_path)


def test_what_is_kept_and_was_changed_is_fetched_again(npm: Path, tmp_path: Path) -> None:
    """Of a tarball that is not the known one nothing is read."""
    package = Package("it", "1", NOTHING)
    package.kept_in(tmp_path).write_text("other", encoding="utf-8")
    written(npm, ": > it-1.tgz")
    fetch([package], tmp_path)
    assert package.kept_in(tmp_path).read_bytes() == b""
