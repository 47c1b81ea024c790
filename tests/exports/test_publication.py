import datetime as dt
import hashlib
import json
import os
import shutil
from itertools import groupby
from pathlib import Path

import duckdb
import fsspec
import pytest

from exports.audit import AuditRefused, Finding
from exports.config import ExportsConfig
from exports.database import holds_the_same
from exports.files import digest
from exports.installation import keep_newest_files, point_to
from exports.private_file import open_private
from exports.publication import publish_night
from exports.tables import EXPORTS
from tests.exports.conftest import COMPANY
from tests.exports.private_night import RUN_ID, D, build_night


def contents(folder, *but):
    return {
        path.relative_to(folder).as_posix(): digest(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in but
    }


def query(database, sql):
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_every_export_is_a_table_in_the_published_file_with_run_id_last(published):
    tables = query(published.database, "select table_name from duckdb_tables() order by all")
    assert [name for (name,) in tables] == sorted(export.name for export in EXPORTS)
    last = query(
        published.database,
        "select table_name, max_by(column_name, column_index) from duckdb_columns()"
        " where not internal group by all",
    )
    assert {name for name, column in last if column != "run_id"} == {"runs"}
    assert query(published.database, "select distinct run_id from mrr_bridge_monthly") == [
        (RUN_ID,)
    ]


def test_rows_stand_in_key_order(published):
    keys = query(published.database, "select customer_id, activity_date from customer_usage_daily")
    assert keys == sorted(keys)


def test_tables_and_columns_carry_their_descriptions(published):
    comments = query(
        published.database, "select comment from duckdb_tables() where table_name = 'renewals'"
    )
    assert comments == [("One row per grain of renewals; it's quoted.",)]
    undescribed = query(
        published.database,
        "select table_name, column_name from duckdb_columns() where not internal"
        " and comment is null and table_name not in"
        " ('customer_signals', 'customer_outcomes', 'csm_capacity', 'playbook_responses')",
    )
    assert undescribed == []


def test_the_published_file_has_neither_indexes_nor_constraints(published):
    assert query(published.database, "select * from duckdb_indexes()") == []
    assert query(published.database, "select * from duckdb_constraints() where table_oid > 0") == []


def test_the_published_file_is_read_only(published):
    assert published.database.stat().st_mode & 0o222 == 0


def test_the_same_night_elsewhere_gives_the_same_bytes_of_files_and_rows_of_tables(
    tmp_path, published, publish
):
    again = publish(build_night(tmp_path / "night"), tmp_path / "home")
    # in rare runs DuckDB leaves old memory in its gaps: bytes then differ where no row does
    assert holds_the_same(again.database, published.database)
    listed = [
        json.loads((report.folder / "manifest.json").read_text()) for report in (again, published)
    ]
    assert listed[0] | {"database": None} == listed[1] | {"database": None}
    assert contents(again.folder, "manifest.json") == contents(published.folder, "manifest.json")


def test_a_night_published_again_leaves_its_files_as_they_are(tmp_path, night_files, publish):
    first = publish(night_files, tmp_path)
    inodes = {path: path.stat().st_ino for path in first.folder.rglob("*") if path.is_file()}
    file = first.database.stat().st_ino
    publish(night_files, tmp_path)
    assert {path: path.stat().st_ino for path in inodes} == inodes
    assert first.database.stat().st_ino == file


def test_a_night_published_again_with_another_format_replaces_what_differs(
    tmp_path, night_files, publish, plain_page
):
    first = publish(night_files, tmp_path)
    (first.folder / "stray.csv").write_text("x")
    publish(night_files, tmp_path, ExportsConfig(csv_preset="excel"))
    assert (first.folder / "runs.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert not (first.folder / "stray.csv").exists()
    listed = json.loads((first.folder / "manifest.json").read_text())["files"]
    assert {entry["name"]: entry["sha256"] for entry in listed} == {
        name: sha for name, sha in contents(first.folder).items() if name != "manifest.json"
    }


def test_the_links_are_relative_so_the_data_root_can_move(published):
    home = published.folder.parent.parent
    assert (home / "exports/current").readlink() == Path(RUN_ID)
    assert (home / "published/current.duckdb").readlink() == Path(f"health-{RUN_ID}.duckdb")


def test_readers_during_publication_see_no_error(tmp_path, publish, plain_page, monkeypatch):
    """One reads after every change of a file's name, another stays on the night it has opened."""
    nights = [
        build_night(tmp_path / str(number), run_id=f"run{number}", customers=6)
        for number in range(2)
    ]
    home = tmp_path / "home"
    database, manifest = home / "published/current.duckdb", home / "exports/current/manifest.json"
    publish(nights[0], home)
    said, exported = [], []

    def read_after(change):
        def change_and_read(*given, **more):
            changed = change(*given, **more)
            said.extend(query(database.resolve(), "select run_id, count(*) from runs group by 1"))
            exported.append(json.loads(manifest.read_text())["run_id"])
            return changed

        return change_and_read

    for change in ("rename", "replace", "symlink_to", "unlink"):
        monkeypatch.setattr(Path, change, read_after(getattr(Path, change)))
    with duckdb.connect(database.resolve(), read_only=True) as staying:
        for number in (1, 0):
            publish(nights[number], home)
        assert staying.execute("select run_id from runs").fetchall() == [("run0",)]
    assert [row for row, _ in groupby(said)] == [(f"run{number}", 1) for number in (0, 1, 0)]
    assert [run for run, _ in groupby(exported)] == ["run0", "run1", "run0"]


def test_what_a_killed_publication_left_is_removed_by_the_next(tmp_path, night_files, publish):
    leftover = tmp_path / "exports" / ".unfinished-dead"
    leftover.mkdir(parents=True)
    (leftover / "customer_360.csv").write_text("half")
    (tmp_path / "published").mkdir()
    (tmp_path / "published" / ".unfinished-dead.duckdb").write_text("half")
    (tmp_path / "published" / ".unfinished-dead.duckdb.wal").write_text("half")
    report = publish(night_files, tmp_path)
    names = {path.name for part in ("exports", "published") for path in (tmp_path / part).iterdir()}
    assert names == {"current", RUN_ID, "current.duckdb", report.database.name}


@pytest.mark.parametrize("step", ["write_database", "write_dashboard", "point_to"])
def test_a_kill_anywhere_keeps_the_night_before_and_is_cured_by_running_again(
    tmp_path, night_files, publish, published, plain_page, monkeypatch, step
):
    home = tmp_path / "home"
    before = build_night(
        tmp_path / "before", as_of_date=D - dt.timedelta(days=1), run_id="before", customers=3
    )
    publish(before, home)

    class Killed(BaseException):
        pass

    def die(*_, **__):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(f"exports.publication.{step}", die)
        with pytest.raises(Killed):
            publish(night_files, home)
    assert query(home / "published/current.duckdb", "select run_id from runs") == [("before",)]
    assert (home / "exports/current/manifest.json").is_file()

    report = publish(night_files, home)
    assert holds_the_same(report.database, published.database)
    assert (home / "exports/current").readlink().name == RUN_ID
    assert not list(home.rglob(".unfinished-*"))


def test_a_red_check_publishes_nothing_and_says_why(tmp_path, publish, night_files, plain_page):
    publish(night_files, tmp_path)
    before = contents(tmp_path)
    broken = build_night(tmp_path / "night", run_id="broken", missing_table="renewals")
    with pytest.raises(AuditRefused, match=r"^renewals: the table was not built$"):
        publish(broken, tmp_path)
    after = contents(tmp_path)
    assert {name: after[name] for name in before} == before
    assert not [name for name in after if "broken" in name]


def test_a_red_back_door_publishes_nothing(tmp_path, night_files):
    with pytest.raises(AuditRefused, match="customer_360: mrr is odd"):
        publish_night(
            *night_files,
            tmp_path,
            ExportsConfig(),
            COMPANY,
            check=lambda *_: [Finding("customer_360", "error", "mrr is odd")],
        )
    assert not (tmp_path / "published/current.duckdb").exists()
    assert not (tmp_path / "exports/current").exists()


def test_the_last_nights_are_kept_and_the_current_one_always(tmp_path):
    for number in range(9):
        (tmp_path / f"health-{number}.duckdb").write_text("x")
        os.utime(tmp_path / f"health-{number}.duckdb", (number, number))
    keep_newest_files(tmp_path, "health-*.duckdb", 7, tmp_path / "health-0.duckdb")
    assert sorted(path.stem[-1] for path in tmp_path.iterdir()) == list("0345678")


def test_old_export_folders_and_files_are_removed(tmp_path, publish, plain_page):
    config = ExportsConfig(keep_exports=2, keep_published=1)
    for number in range(3):
        night = build_night(tmp_path / "night", run_id=f"run{number}", customers=3)
        publish(night, tmp_path / "home", config)
    assert sorted(path.name for path in (tmp_path / "home/exports").iterdir()) == [
        "current",
        "run1",
        "run2",
    ]
    assert sorted(path.name for path in (tmp_path / "home/published").iterdir()) == [
        "current.duckdb",
        "health-run2.duckdb",
    ]


def test_a_link_is_swapped_in_one_step(tmp_path):
    point_to(tmp_path / "current", "a")
    point_to(tmp_path / "current", "b")
    assert (tmp_path / "current").readlink().name == "b"
    assert [path.name for path in tmp_path.iterdir()] == ["current"]


def test_a_data_root_copied_without_its_links_is_published_into(
    tmp_path, night_files, publish, plain_page
):
    publish(night_files, tmp_path / "home")
    shutil.copytree(tmp_path / "home", tmp_path / "restored", symlinks=False)

    report = publish(night_files, tmp_path / "restored")

    exports = tmp_path / "restored" / "exports"
    assert (exports / "current").readlink().name == report.folder.name
    assert [path.name for path in exports.iterdir() if path.is_dir() and not path.is_symlink()] == [
        report.folder.name
    ]


def test_exports_are_copied_on(tmp_path, night_files, publish, plain_page):
    config = ExportsConfig(publish_to=f"file://{tmp_path}/far")
    report = publish(night_files, tmp_path / "home", config)
    assert contents(tmp_path / "far" / RUN_ID) == contents(report.folder)
    assert json.loads((tmp_path / "far/current.json").read_text()) == {
        "run_id": RUN_ID,
        "as_of_date": "2024-06-30",
    }


def test_exports_are_copied_to_a_store_without_folders_or_links(
    tmp_path, night_files, publish, plain_page
):
    report = publish(night_files, tmp_path, ExportsConfig(publish_to="memory://health"))
    far = fsspec.filesystem("memory")
    copied = {
        name.removeprefix(f"/health/{RUN_ID}/"): hashlib.sha256(far.cat(name)).hexdigest()
        for name in far.find(f"/health/{RUN_ID}")
    }
    assert copied == contents(report.folder)
    assert json.loads(far.cat("/health/current.json"))["run_id"] == RUN_ID


def test_the_night_after_a_failed_copy_is_copied(tmp_path, publish, plain_page):
    far = tmp_path / "share"
    far.write_text("not mounted: a file stands where the folder should be")
    config = ExportsConfig(publish_to=f"file://{far}")
    failed = publish(build_night(tmp_path / "one"), tmp_path / "home", config)
    assert failed.copy_error.count("\n") == 0
    assert (failed.copied_to, failed.folder.is_dir()) == (None, True)
    far.unlink()
    files = build_night(tmp_path / "two", as_of_date=D + dt.timedelta(days=1), run_id="run2")
    report = publish(files, tmp_path / "home", config)
    assert (report.copy_error, report.copied_to) == (None, f"file://{far}/run2")
    assert json.loads((far / "current.json").read_text())["run_id"] == "run2"


def test_a_far_store_that_fails_does_not_undo_the_night_nor_tell_its_password(
    tmp_path, night_files, publish, plain_page
):
    config = ExportsConfig(publish_to="nosuchstore://user:se@cret@host/health")
    report = publish(night_files, tmp_path, config)
    assert report.copy_error.startswith("not copied to nosuchstore://host/health: ")
    assert "cret" not in report.copy_error
    assert (tmp_path / "published/current.duckdb").exists()


def test_a_night_that_was_not_built_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="has not been built"):
        open_private(tmp_path / "night.duckdb")
