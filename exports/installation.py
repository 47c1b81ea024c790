"""Putting finished files in place, so that a reader sees the old or the new and a kill is cured."""

import os
import shutil
from pathlib import Path

from exports.files import digest

UNFINISHED = ".unfinished-"
"""What begins so is not published; the next start removes it."""

MANIFEST = Path("manifest.json")


def remove_unfinished(folder: Path) -> None:
    """Removes what a killed publication left in the folder."""
    for leftover in sorted(folder.glob(f"{UNFINISHED}*")):
        if leftover.is_dir() and not leftover.is_symlink():
            shutil.rmtree(leftover)
        else:
            leftover.unlink()


def install_file(finished: Path, target: Path) -> None:
    """Moves a finished file to its name, read-only; the same bytes are left where they are."""
    if target.is_file() and digest(target) == digest(finished):
        finished.unlink()
        os.utime(target)  # published again: the newest of those kept
        return
    finished.chmod(0o444)
    finished.replace(target)


def install_folder(finished: Path, target: Path) -> None:
    """Moves a finished export folder to its name.

    Where the same night stands already, only files that differ are replaced, the manifest last.
    """
    if not target.exists():
        finished.replace(target)
        return
    new = sorted(path.relative_to(finished) for path in finished.rglob("*") if path.is_file())
    for name in sorted(new, key=lambda name: name == MANIFEST):
        there = target / name
        if there.is_file() and digest(there) == digest(finished / name):
            continue
        there.parent.mkdir(parents=True, exist_ok=True)
        (finished / name).replace(there)
    for path in target.rglob("*"):
        if path.is_file() and path.relative_to(target) not in new:
            path.unlink()
    shutil.rmtree(finished)
    os.utime(target / MANIFEST)


def point_to(link: Path, target: str) -> None:
    """Points the symlink to its new target in one step.

    A folder in its place is what a copy of the data root made of the link: it holds nothing of its
    own, and is removed.
    """
    if link.is_dir() and not link.is_symlink():
        shutil.rmtree(link)
    new = link.parent / f"{UNFINISHED}{link.name}"
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(link)


def keep_newest_files(folder: Path, pattern: str, keep: int, current: Path) -> None:
    """Removes all but the `keep` files published last; never the current one."""
    for path in _older(list(folder.glob(pattern)), keep, current):
        path.unlink()


def keep_newest_folders(folder: Path, keep: int, current: Path) -> None:
    """Removes all but the `keep` export folders published last; never the current one."""
    manifests = [path for path in folder.glob(f"*/{MANIFEST}") if not path.parent.is_symlink()]
    for manifest in _older(manifests, keep, current / MANIFEST):
        shutil.rmtree(manifest.parent)


def _older(paths: list[Path], keep: int, current: Path) -> list[Path]:
    others = [path for path in paths if path != current]
    newest_first = sorted(others, key=lambda path: (path.stat().st_mtime_ns, path), reverse=True)
    return newest_first[keep - 1 :]
