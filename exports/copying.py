"""Copies an export folder on, to wherever fsspec reaches: object store, SFTP, share."""

import json
import re
from pathlib import Path

import fsspec


class CopyFailed(Exception):
    """The far store did not take the copy; one line that says where and why."""


def copy_export(folder: Path, url: str) -> str:
    """Copies the folder to `<url>/<run_id>/`, its manifest last, then writes `<url>/current.json`.

    `current.json` names the run: far stores have no symlinks. Returns the URL of the copy.
    Raises CopyFailed, without the URL's user and password, whatever the store raises.
    """
    shown = re.sub(r"//[^/]*@", "//", url).rstrip("/")
    try:
        _copy(folder, url)
    except Exception as error:  # every store has errors of its own
        reason = str(error).replace(url, shown) or type(error).__name__
        raise CopyFailed(f"not copied to {shown}: {reason}") from None
    return f"{shown}/{folder.name}"


def _copy(folder: Path, url: str) -> None:
    filesystem, root = fsspec.core.url_to_fs(url)
    root = root.rstrip("/")
    target = f"{root}/{folder.name}"
    names = sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )
    for name in sorted(names, key=lambda name: name == "manifest.json"):
        filesystem.makedirs(f"{target}/{name}".rpartition("/")[0], exist_ok=True)
        filesystem.put_file(str(folder / name), f"{target}/{name}")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    current = {"run_id": manifest["run_id"], "as_of_date": manifest["as_of_date"]}
    with filesystem.open(f"{root}/current.json", "wb") as file:
        file.write((json.dumps(current, indent=2) + "\n").encode())
