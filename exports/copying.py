"""Copies an export folder on, to wherever fsspec reaches: object store, SFTP, share."""

import json
from pathlib import Path

import fsspec


def copy_export(folder: Path, url: str) -> str:
    """Copies the folder to `<url>/<run_id>/`, its manifest last, then writes `<url>/current.json`.

    `current.json` names the run: far stores have no symlinks. Returns the URL of the copy.
    Raises what the store raises.
    """
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
    return f"{url.rstrip('/')}/{folder.name}"
