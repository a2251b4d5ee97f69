"""Rulebooks are kept whole: the same files make the same archive, and no archive writes outside of its folder."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import tarfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.store.drafts import SMALL_BOOK, small_book

from tariff_engine.notation.load import load_book
from tariff_rules import ROOT
from tariff_service.store.rulebooks import WrongArchiveError, archive, book_in, unpack


def packed(*members: tarfile.TarInfo, content: bytes = b"x") -> bytes:
    """Return an archive with these members."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for member in members:
            member.size = len(content) if member.isreg() else 0
            tar.addfile(member, io.BytesIO(content))
    return zlib.compress(target.getvalue())


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    """Return a member of an archive."""
    found = tarfile.TarInfo(name)
    found.type, found.linkname = kind, link
    return found


def test_the_same_files_make_the_same_bytes_wherever_and_whenever_they_lie(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(SMALL_BOOK, copy)
    for path in copy.rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(0o700)
    (copy / "__pycache__").mkdir()
    (copy / "__pycache__" / "x.pyc").write_bytes(b"x")
    assert archive(copy) == archive(SMALL_BOOK)


def test_the_rulebook_of_this_project_comes_back_as_the_same_rulebook(tmp_path: Path) -> None:
    content = archive(ROOT)
    assert len(content) < 1_000_000
    unpack(content, tmp_path / "rules")
    assert archive(tmp_path / "rules") == content
    assert book_in(content)[0] == load_book(ROOT).id


def test_a_small_rulebook_comes_back_too() -> None:
    rulebook, edition, horizon, content = small_book()
    assert book_in(content) == (rulebook, edition, horizon)


@pytest.mark.parametrize(
    "wrong",
    [
        member("../out.yaml"),
        member("a/../../out.yaml"),
        member("/out.yaml"),
        member("a\\..\\out.yaml"),
        member("C:out.yaml"),
        member("link", tarfile.SYMTYPE, "/etc/passwd"),
        member("hard", tarfile.LNKTYPE, "book.yaml"),
        member("pipe", tarfile.FIFOTYPE),
        member("device", tarfile.CHRTYPE),
        member("folder", tarfile.DIRTYPE),
    ],
    ids=lambda wrong: wrong.name,
)
def test_an_archive_that_leads_out_of_its_folder_is_refused(tmp_path: Path, wrong: tarfile.TarInfo) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    with pytest.raises(WrongArchiveError):
        unpack(packed(member("book.yaml"), wrong), folder)
    assert [path.name for path in tmp_path.iterdir()] == ["inside"]
    assert [path.name for path in folder.iterdir()] == ["book.yaml"]


def test_an_archive_that_names_a_file_twice_or_holds_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WrongArchiveError, match="twice"):
        unpack(packed(member("a"), member("a")), tmp_path)
    monkeypatch.setattr("tariff_engine.packed._MAX_FILES", 3)
    with pytest.raises(WrongArchiveError, match="too many"):
        unpack(packed(*[member(f"b{number}") for number in range(4)]), tmp_path)
    monkeypatch.setattr("tariff_engine.packed._MAX_BYTES", 50_000)
    with pytest.raises(WrongArchiveError, match="too large"):
        unpack(packed(member("c"), content=b"0" * 100_000), tmp_path)


@given(st.integers(0, 10**6), st.integers(1, 255))
def test_a_damaged_archive_is_no_rulebook_or_still_the_same_one(place: int, change: int) -> None:
    rulebook, edition, horizon, content = small_book()
    spoilt = bytearray(content)
    spoilt[place % len(spoilt)] ^= change
    with contextlib.suppress(WrongArchiveError):
        assert book_in(bytes(spoilt)) == (rulebook, edition, horizon)
