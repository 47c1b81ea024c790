"""Finds the files of a source and takes them in, trusting nothing about names, links or sizes."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO, cast

from fsspec.core import url_to_fs

from ingest.config import EntityMapping, SourceConfig
from ingest.refusals import Refused, StillGrowing, one_line

CHUNK = 4 * 2**20
SIDECAR = ".manifest.json"
UNFINISHED = (
    ".tmp",
    ".temp",
    ".part",
    ".partial",
    ".crdownload",
    ".filepart",
    ".swp",
    ".lock",
    "~",
)


@dataclass(frozen=True)
class Found:
    """A file seen at a source. `stamp` changes when it may have changed; '' when unknowable."""

    name: str
    address: str
    bytes: int
    stamp: str
    problem: str | None = None


@dataclass(frozen=True)
class Promise:
    """What the sender says of a file; None where it says nothing."""

    rows: int | None = None
    bytes: int | None = None
    sha256: str | None = None
    delivered_on: date | None = None

    @property
    def is_whole(self) -> bool:
        """Enough is said to notice a cut."""
        return self.rows is not None or self.bytes is not None or self.sha256 is not None


@dataclass(frozen=True)
class Taken:
    """A file taken in: a local copy or link with a harmless name, its size and its hash."""

    path: Path
    bytes: int
    sha256: str


def find(source: SourceConfig, mapping: EntityMapping) -> list[Found]:
    """Files matching the mapping, by name. A location that cannot be listed raises Refused."""
    wanted = _matcher(mapping.files)
    listed = _list_remote(source) if source.is_remote else _list_local(source)
    try:
        files = {file.name: file for file in listed}
    except Refused:
        raise
    except Exception as error:
        raise Refused(_unreachable(source, "listed", error)) from error
    chosen = []
    for name, file in sorted(files.items()):
        if wanted(name) and not _is_ignored(name):
            sidecar = files.get(name + SIDECAR)
            is_said = sidecar is not None and not sidecar.problem and file.stamp
            stamp = f"{file.stamp}|{sidecar.stamp}" if sidecar and is_said else file.stamp
            chosen.append(replace(file, stamp=stamp))
    return chosen


def delivered_on(name: str, pattern: str) -> date | None:
    """The day in a file's name, else in its folders; None where there is none."""
    for text in (name.rsplit("/", 1)[-1], name):
        match = re.search(pattern, text)
        if match:
            digits = re.sub(r"\D", "", match.group(1) or "")
            try:
                return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
            except ValueError:
                return None
    return None


def promise(found: Found, source: SourceConfig) -> Promise:
    """The sidecar `<file>.manifest.json`, where there is one, and the day of delivery."""
    if found.problem:
        return Promise()
    said = _sidecar(found, source)
    day = said.get("delivered_on")
    return Promise(
        rows=said.get("rows"),
        bytes=said.get("bytes"),
        sha256=said.get("sha256"),
        delivered_on=date.fromisoformat(day)
        if day
        else delivered_on(found.name, source.delivered_on_pattern),
    )


def take(found: Found, source: SourceConfig, folder: Path, keep_raw: bool) -> Taken:
    """Brings a file to `folder` and hashes it on the way; raises Refused where it may not be read.

    A local file that is not kept is linked, not copied.
    """
    if found.problem:
        raise Refused(found.problem)
    limit = source.limits.max_file_bytes
    if found.bytes > limit:
        raise Refused(f"has {found.bytes:,} bytes, more than max_file_bytes ({limit:,})")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "received"
    path.unlink(missing_ok=True)
    is_copied = keep_raw or source.is_remote
    sha256, size = hashlib.sha256(), 0
    copy = path.open("wb") if is_copied else nullcontext()
    with _open(found, source) as stream, copy as target:
        while chunk := stream.read(CHUNK):
            size += len(chunk)
            if size > limit:
                raise Refused(f"has more than max_file_bytes ({limit:,}) bytes")
            sha256.update(chunk)
            if target:
                target.write(chunk)
    if not source.is_remote and _stamp(os.lstat(found.address)) != found.stamp.split("|")[0]:
        raise StillGrowing(f"{found.name} changed while it was read")
    if not is_copied:
        path.symlink_to(Path(found.address).absolute())
    return Taken(path, size, sha256.hexdigest())


def check(taken: Taken, said: Promise) -> None:
    """Refuses a file that is not what its manifest says."""
    if said.bytes is not None and said.bytes != taken.bytes:
        raise Refused(
            f"has {taken.bytes:,} bytes, its manifest says {said.bytes:,}: cut or changed"
        )
    if said.sha256 is not None and said.sha256.lower() != taken.sha256:
        raise Refused("its sha256 differs from its manifest: cut or changed")


def keep(path: Path, raw: Path, sha256: str) -> None:
    """Moves a taken file to the store of files as received; a link is left where it is."""
    if not path.is_symlink() and not (raw / sha256).exists():
        raw.mkdir(parents=True, exist_ok=True)
        path.replace(raw / sha256)


def clear(folder: Path) -> None:
    """Removes what an interrupted run left behind."""
    shutil.rmtree(folder, ignore_errors=True)


def _list_local(source: SourceConfig) -> Iterator[Found]:
    top = Path(source.location.removeprefix("file://"))
    if not top.is_dir():
        raise Refused(f"the folder {top} does not exist")
    yield from _walk(top, "")


def _walk(folder: Path, prefix: str) -> Iterator[Found]:
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            name = prefix + entry.name
            if entry.is_symlink():
                yield Found(name, entry.path, 0, "link", "is a link; links are not followed")
            elif entry.is_dir(follow_symlinks=False):
                if not entry.name.startswith("."):
                    yield from _walk(Path(entry.path), name + "/")
            elif entry.is_file(follow_symlinks=False):
                stat = entry.stat(follow_symlinks=False)
                yield Found(name, entry.path, stat.st_size, _stamp(stat), _name_problem(name))
            else:
                yield Found(name, entry.path, 0, "special", "is not a regular file")


def _list_remote(source: SourceConfig) -> Iterator[Found]:
    filesystem, top = _remote(source)
    top = top.rstrip("/")
    for address, info in sorted(filesystem.find(top, detail=True).items()):
        name = address.removeprefix(top).lstrip("/")
        marks = [info.get(key) for key in ("mtime", "LastModified", "last_modified", "updated")]
        marks += [info.get(key) for key in ("ETag", "etag", "created")]
        mark = next((str(mark) for mark in marks if mark), "")
        size = int(info.get("size") or 0)
        problem = _name_problem(name)
        if ".." in name.split("/"):
            problem = "its name leaves the folder"
        yield Found(name, address, size, f"{size}-{mark}" if mark else "", problem)


def _remote(source: SourceConfig) -> tuple[Any, str]:
    try:
        return cast(tuple[Any, str], url_to_fs(source.location, **source.options()))
    except Exception as error:
        raise Refused(_unreachable(source, "reached", error)) from error


def _unreachable(source: SourceConfig, what: str, error: Exception) -> str:
    reason = one_line(error).replace(source.location, source.shown_location)
    return f"{source.shown_location} cannot be {what}: {reason}"


def _open(found: Found, source: SourceConfig) -> BinaryIO:
    if source.is_remote and not source.location.startswith("file://"):
        return cast(BinaryIO, _remote(source)[0].open(found.address, "rb"))
    descriptor = os.open(found.address, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    return os.fdopen(descriptor, "rb")


def _stamp(stat: os.stat_result) -> str:
    return f"{stat.st_size}-{stat.st_mtime_ns}"


def _name_problem(name: str) -> str | None:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return "its name is not utf-8"
    return "its name has control characters" if re.search(r"[\x00-\x1f\x7f]", name) else None


def _is_ignored(name: str) -> bool:
    """Hidden and unfinished files, and sidecars, are nobody's delivery."""
    last = name.rsplit("/", 1)[-1].lower()
    return last.startswith((".", "~")) or last.endswith((*UNFINISHED, SIDECAR))


def _matcher(pattern: str) -> Any:
    """`*` and `?` stay inside one folder, `**/` goes through any number of them."""
    parts = []
    for piece in re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]]+\])", pattern):
        if piece == "**/":
            parts.append(r"(?:.*/)?")
        elif piece == "**":
            parts.append(r".*")
        elif piece == "*":
            parts.append(r"[^/]*")
        elif piece == "?":
            parts.append(r"[^/]")
        elif piece.startswith("[") and piece.endswith("]"):
            parts.append("[" + piece[1:-1].replace("!", "^", 1).replace("\\", "\\\\") + "]")
        else:
            parts.append(re.escape(piece))
    return re.compile("(?s)" + "".join(parts)).fullmatch


def _sidecar(found: Found, source: SourceConfig) -> dict[str, Any]:
    address = found.address + SIDECAR
    try:
        if source.is_remote and not source.location.startswith("file://"):
            filesystem, _ = _remote(source)
            if not filesystem.exists(address):
                return {}
            text = filesystem.cat_file(address)
        else:
            if not os.path.lexists(address) or Path(address).is_symlink():
                return {}
            text = Path(address).read_bytes()
        said = json.loads(text)
    except (OSError, ValueError) as error:
        raise Refused(f"its manifest cannot be read: {one_line(error)}") from error
    if not isinstance(said, dict):
        raise Refused("its manifest is not a JSON object")
    for key, kind in (("rows", int), ("bytes", int), ("sha256", str), ("delivered_on", str)):
        if said.get(key) is None:
            said.pop(key, None)
        elif not isinstance(said[key], kind) or isinstance(said[key], bool):
            raise Refused(f"its manifest has a wrong {key}: {said[key]!r}")
    if "delivered_on" in said:
        try:
            date.fromisoformat(said["delivered_on"])
        except ValueError as error:
            raise Refused(f"its manifest has a wrong delivered_on: {error}") from error
    return said
