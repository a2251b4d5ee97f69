"""What can go wrong with a disk, a file or a server: each is one typed error that says what to do, and nothing is lost."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event, text
from tests.store.conftest import Opener
from tests.store.drafts import child, draft, ended, keep_small_book
from tests.store.postgres import Server, running

from tariff_service.store.engines import default_file, shown, store_url
from tariff_service.store.faults import StoreError
from tariff_service.store.records import Receipt
from tariff_service.store.store import AuditStore
from tariff_service.store.verify import verify


# ---------------------------------------------------------------- SQLite
def test_a_full_database_says_so_and_goes_on_when_there_is_room_again(file: Path, lite: AuditStore) -> None:
    """The limit of pages is what SQLite itself takes for a full disk."""
    lite.close()

    def limit(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA max_page_count = 60")

    event.listen(lite.engine, "connect", limit)
    kept = 0

    def fill() -> None:
        nonlocal kept
        for number in range(100):
            lite.append([draft(number, answer=os.urandom(20_000))])
            kept += 1

    with pytest.raises(StoreError) as caught:
        fill()
    assert (caught.value.code, caught.value.unknown) == ("store_full", False)
    assert kept > 3
    assert lite.head().seq == kept
    event.remove(lite.engine, "connect", limit)
    lite.refresh()
    assert lite.append([draft(200)])
    assert verify(lite).ok
    assert file.stat().st_size > 0


_FILL = """
import os, resource, sys
from tests.store.drafts import draft, keep_small_book
from tariff_service.store.faults import StoreError
from tariff_service.store.store import AuditStore
store = AuditStore.open(sys.argv[1])
keep_small_book(store)
resource.setrlimit(resource.RLIMIT_FSIZE, (700_000, 700_000))
kept = 0
try:
    for number in range(100):
        store.append([draft(number, answer=os.urandom(20_000))])
        kept += 1
except StoreError as error:
    print(kept, error.code)
"""


def test_a_file_that_the_system_lets_grow_no_more_is_a_full_store(file: Path, opener: Opener) -> None:
    kept, code = ended(child(_FILL, str(file))).split()
    assert (code, int(kept) > 3) == ("store_full", True)
    store = opener(str(file))
    assert store.head().seq >= int(kept)
    assert verify(store).ok


_READ = """
import os, sys
from tests.store.drafts import draft
from tariff_service.store.faults import StoreError
from tariff_service.store.store import AuditStore
draft()
store = None
if os.geteuid() == 0:
    AuditStore.open(sys.argv[1]).close()  # what is imported late is imported now: the other user may not read Python's files
    os.setgid(65534)
    os.setuid(65534)
for act in ("open", "append", "ping"):
    try:
        if act == "open":
            store = AuditStore.open(sys.argv[1])
            print("open", store.head().seq)
        else:
            store.append([draft()]) if act == "append" else store.ping()
    except StoreError as error:
        print(act, error.code)
"""


def test_a_file_without_the_right_to_write_is_read_only(tmp_path: Path, opener: Opener) -> None:
    folder = tmp_path / "store"
    folder.mkdir()
    path = folder / "audit.db"
    store = opener(str(path))
    keep_small_book(store)
    store.append([draft()])
    keeper = sqlite3.connect(path)  # keeps the log of SQLite in place, as a running service does
    keeper.execute("SELECT * FROM head").fetchall()
    for parent in [folder, *list(folder.parents)[:4]]:  # a parallel worker's folder lies one deeper
        parent.chmod(parent.stat().st_mode | stat.S_IXOTH | stat.S_IROTH)
    for name in folder.iterdir():
        name.chmod(0o444)
    folder.chmod(0o555)
    try:
        lines = ended(child(_READ, str(path))).splitlines()
    finally:
        folder.chmod(0o755)
        keeper.close()
    assert lines == ["open 1", "append store_read_only", "ping store_read_only"]


def test_a_locked_database_says_so_after_its_patience_and_goes_on_when_it_is_free(file: Path, lite: AuditStore, opener: Opener) -> None:
    code = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.readline()
connection.execute("ROLLBACK")
"""
    store = opener(str(file), patience=0.2)
    with child(code, str(file)) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        for act in (lambda: store.append([draft()]), store.ping):
            with pytest.raises(StoreError) as caught:
                act()
            assert caught.value.code == "store_locked"
        assert store.head().seq == 0  # a reader is not kept out
        ended(holder)
    assert isinstance(store.append([draft()])[0], Receipt)
    assert verify(lite).ok


def test_a_page_of_other_bytes_is_damage(file: Path, lite: AuditStore) -> None:
    lite.append([draft(number, answer=os.urandom(9000)) for number in range(50)])
    lite.close()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'records'").fetchone()[0]
    with file.open("r+b") as raw:
        raw.seek((root - 1) * 4096)
        raw.write(os.urandom(4096))
    with pytest.raises(StoreError) as caught:
        verify(lite)
    assert caught.value.code == "store_damaged"
    with pytest.raises(StoreError) as caught:
        lite.append([draft()])
    assert caught.value.code == "store_damaged"


def test_flipped_bytes_in_a_body_are_found_by_verification(file: Path, lite: AuditStore) -> None:
    lite.append([draft(1, answer=b"needle" * 100)])
    lite.close()
    content = file.read_bytes()
    assert content.count(b"needle" * 100) == 1
    file.write_bytes(content.replace(b"needle" * 100, b"needle" * 99 + b"poodle"))
    assert [finding.code for finding in verify(lite).findings] == ["answer_changed"]


@pytest.mark.parametrize("content", [b"this is no database, but it is long enough to be taken for one" * 20, b"\0" * 5000])
def test_a_file_that_is_no_database_is_damage(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(StoreError) as caught:
        AuditStore.open(str(file))
    assert caught.value.code == "store_damaged"
    assert file.read_bytes() == content


def test_a_damaged_body_is_damage_and_no_traceback(lite: AuditStore) -> None:
    lite.append([draft(1)])
    with lite.writing() as connection:
        connection.execute(text("DROP TRIGGER records_no_update"))
        connection.execute(text("UPDATE records SET answer = x'7801ff'"))
    with pytest.raises(StoreError) as caught:
        lite.get(lite.log.page(0, 1, 1)[0]["id"])
    assert caught.value.code == "store_damaged"


def test_nobody_else_may_read_the_file_or_its_new_folder(tmp_path: Path, opener: Opener) -> None:
    path = tmp_path / "new" / "audit.db"
    store = opener(str(path))
    store.append([draft(1)])
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()} == {0o600}


def test_what_was_redacted_stands_in_no_file_any_more(tmp_path: Path, lite: AuditStore) -> None:
    lite.append([draft(1, request=b'{"consignee": "Sherlock Holmes"}')])
    assert any(b"Sherlock" in path.read_bytes() for path in tmp_path.iterdir())
    lite.redact("me", "asked", entry_id="entry-1")
    assert not any(b"Sherlock" in path.read_bytes() for path in tmp_path.iterdir())


def test_commits_are_on_disk_before_they_are_acknowledged(store: AuditStore) -> None:
    with store.reading() as connection:
        if store.engine.dialect.name == "sqlite":
            assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
            assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
            assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
        else:
            assert connection.execute(text("SHOW synchronous_commit")).scalar() == "on"


# ---------------------------------------------------------------- addresses and forms
def test_an_address_is_a_file_a_url_or_the_users_own_store() -> None:
    assert store_url("a/b.db").database == str(Path.cwd() / "a" / "b.db")
    assert store_url("postgres://me:secret@db/tariff").drivername == "postgresql+psycopg"
    assert "secret" not in shown(store_url("postgres://me:secret@db/tariff"))
    assert store_url(None, {"TARIFF_STORE": "/x/y.db"}).database == "/x/y.db"
    assert default_file({"XDG_DATA_HOME": "/data"}) == Path("/data/tariff-engine/audit.db")
    assert default_file({"HOME": "/u"}).parts[:2] == ("/", "u")


@pytest.mark.parametrize("name", ["mysql://db/x", "sqlite://", "sqlite:///:memory:", "oracle://x", "sqlite:///file:a?mode=memory&uri=true"])
def test_an_address_of_something_else_is_refused(name: str) -> None:
    with pytest.raises(StoreError) as caught:
        AuditStore.open(name)
    assert caught.value.code == "store_wrong_url"


def test_a_store_that_is_not_there_is_not_made_where_it_should_be_read(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        AuditStore.open(str(tmp_path / "none.db"), create=False)
    assert caught.value.code == "store_unreachable"
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(StoreError):
        AuditStore.open(str(tmp_path / "file" / "audit.db"))


def test_a_store_of_a_later_release_is_refused_and_left_as_it_is(store: AuditStore, url: str) -> None:
    with store.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError) as caught:
        AuditStore.open(url)
    assert caught.value.code == "store_newer"
    with store.reading() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "9999"


# ---------------------------------------------------------------- PostgreSQL
@pytest.fixture(scope="module")
def fragile() -> Iterator[Server]:
    """Return a server that tests may stop."""
    with running() as server:
        yield server


def test_a_server_that_went_away_is_unreachable_and_after_its_return_the_next_batch_is_stored(fragile: Server, opener: Opener) -> None:
    store = opener(fragile.url)
    keep_small_book(store)
    store.append([draft(1)])
    fragile.stop("immediate")
    try:
        for act in (lambda: store.append([draft(2)]), store.head, store.ping):
            with pytest.raises(StoreError) as caught:
                act()
            assert caught.value.code == "store_unreachable"
    finally:
        fragile.start()
    assert isinstance(store.append([draft(3)])[0], Receipt)
    assert store.head().seq == 2
    assert verify(store).ok


@pytest.mark.parametrize("kept", [True, False])
def test_a_connection_lost_in_a_commit_is_asked_about_before_anything_is_answered(
    postgres_server: Server, opener: Opener, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    with postgres_server.database() as url:
        store = opener(url)
        keep_small_book(store)
        store.append([draft(0)])
        broken: list[bool] = []

        def lose(connection: object) -> None:
            """Commit, or not, and lose the connection before the answer comes."""
            if not broken:
                broken.append(True)
                pid = connection.driver_connection.info.backend_pid  # type: ignore[attr-defined]
                if kept:
                    connection.driver_connection.execute("COMMIT")  # type: ignore[attr-defined]
                postgres_server.execute(f"SELECT pg_terminate_backend({pid}, 5000)")

        monkeypatch.setattr("tariff_service.store.log.before_commit", lose)
        one = draft(1)
        if kept:
            (receipt,) = store.append([one])
            assert isinstance(receipt, Receipt)
            assert (receipt.seq, receipt.record_id) == (2, one.id)
        else:
            with pytest.raises(StoreError) as caught:
                store.append([one])
            assert (caught.value.code, caught.value.unknown) == ("store_unreachable", False)
        assert (store.get(one.id) is not None) == kept
        assert isinstance(store.append([draft(2)])[0], Receipt)
        assert verify(store).ok
        store.close()


def test_a_server_that_nobody_can_ask_any_more_leaves_the_outcome_unknown(
    fragile: Server, opener: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opener(fragile.url)
    monkeypatch.setattr("tariff_service.store.store._RESOLVE", 0.2)
    monkeypatch.setattr("tariff_service.store.log.before_commit", lambda _: fragile.stop("immediate"))
    try:
        with pytest.raises(StoreError) as caught:
            store.append([draft(1)])
    finally:
        monkeypatch.undo()
        fragile.start()
    assert (caught.value.code, caught.value.unknown) == ("store_unreachable", True)
    store.ping()


def test_a_lock_that_another_session_holds_is_waited_for_and_then_told(postgres_server: Server, opener: Opener) -> None:
    with postgres_server.database() as url:
        store = opener(url, patience=0.2)
        engine = create_engine(store.engine.url)
        with engine.begin() as connection:
            connection.execute(text("SELECT * FROM head FOR UPDATE"))
            with pytest.raises(StoreError) as caught:
                store.append([draft(1)])
            assert caught.value.code == "store_locked"
        engine.dispose()
        assert isinstance(store.append([draft(1)])[0], Receipt)
        store.close()


def test_a_server_that_only_reads_is_read_only(postgres_server: Server, opener: Opener) -> None:
    with postgres_server.database() as url:
        opener(url).close()
        name = url.partition("?")[0].rpartition("/")[2]
        postgres_server.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        store = opener(url)
        for act in (lambda: store.append([draft(1)]), store.ping):
            with pytest.raises(StoreError) as caught:
                act()
            assert caught.value.code == "store_read_only"
        store.close()


@pytest.mark.parametrize("address", ["postgresql://nobody@127.0.0.1:1/none", "postgresql://nobody@/none?host=%2Fno%2Fsuch%2Ffolder"])
def test_a_server_that_is_not_there_is_unreachable(address: str) -> None:
    with pytest.raises(StoreError) as caught:
        AuditStore.open(address)
    assert caught.value.code == "store_unreachable"
