"""A rulebook read from the bytes of its archive is the rulebook of the folder, and what is no archive of one is refused."""

from __future__ import annotations

import io
import tarfile
import zlib

import pytest
from tests.store.drafts import SMALL_BOOK

from tariff_engine.build import build_law
from tariff_engine.notation.load import load_book
from tariff_engine.packed import PackedRules, WrongArchiveError, archive
from tariff_rules import ROOT


def test_the_law_built_from_the_archive_is_the_law_built_from_the_folder() -> None:
    packed = PackedRules.unpack(archive(ROOT))
    book, same = load_book(ROOT), load_book(packed)
    assert same.id == book.id
    assert same.files == book.files
    law = build_law(same, packed)
    assert law.id == book.id
    assert law.schedule.editions == build_law(book, ROOT).schedule.editions


def test_an_archive_makes_the_same_archive_again() -> None:
    content = archive(SMALL_BOOK)
    assert archive(PackedRules.unpack(content)) == content


def test_the_files_are_read_in_every_way_in_which_a_folder_is_read() -> None:
    packed, name = PackedRules.unpack(archive(SMALL_BOOK)), "book.yaml"
    there = SMALL_BOOK / name
    assert packed.is_dir()
    assert not packed.is_file()
    assert (packed / name).is_file()
    assert (packed / name).name == name
    with (packed / name).open("rb") as raw, (packed / name).open(encoding="utf-8") as text:
        assert raw.read() == there.read_bytes()
        assert text.read() == there.read_text(encoding="utf-8")
    nested = next(path for path in sorted(SMALL_BOOK.rglob("*")) if path.is_file() and path.parent != SMALL_BOOK)
    assert packed.joinpath(nested.relative_to(SMALL_BOOK).as_posix()).read_bytes() == nested.read_bytes()


def test_a_file_that_is_not_there_is_told_by_its_name() -> None:
    packed = PackedRules.unpack(archive(SMALL_BOOK))
    with pytest.raises(FileNotFoundError, match=r"none\.yaml"):
        (packed / "none.yaml").read_text()


def test_a_name_is_a_file_or_a_folder_never_both() -> None:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as tar:
        for name in ("a", "a/b"):
            member = tarfile.TarInfo(name)
            member.size = 1
            tar.addfile(member, io.BytesIO(b"x"))
    with pytest.raises(WrongArchiveError, match="as a file and as a folder"):
        PackedRules.unpack(zlib.compress(target.getvalue()))
    with pytest.raises(WrongArchiveError, match="damaged"):
        PackedRules.unpack(b"none")
