"""Bytes of a taken file as checked, decoded lines and blocks."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from typing import IO, Any, cast

from ingest.config import SourceConfig
from ingest.files import Taken
from ingest.refusals import Refused

BLOCK = 8 * 2**20
LONGEST_LINE = 16 * 2**20
SMALL = 16 * 2**20


def unpacked(taken: Taken, name: str, source: SourceConfig) -> io.BufferedReader:
    is_packed = name.lower().endswith(".gz")
    with taken.path.open("rb") as stream:
        head = stream.read(4)
    if not is_packed and head[:2] == b"\x1f\x8b":
        raise Refused("is a gzip file, but its name does not end in .gz")
    if head[:4] == b"PK\x03\x04":
        raise Refused("is a zip archive or a workbook, not text; save workbooks as CSV")
    if head[:4] == b"PAR1":
        raise Refused(f"is a Parquet file, the source says {source.format}")
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") and not source.encoding.lower().startswith("utf-16"):
        raise Refused(f"is utf-16, the source says encoding: {source.encoding}")
    raw = cast(IO[bytes], gzip.GzipFile(taken.path) if is_packed else taken.path.open("rb"))
    allowed = max(SMALL, int(taken.bytes * source.limits.max_expansion_ratio))
    is_wide = source.encoding.lower().startswith(("utf-16", "utf16", "utf-32", "utf32"))
    return io.BufferedReader(_Guarded(raw, allowed, is_wide), 2**18)


class _Guarded(io.RawIOBase):
    """Passes bytes on and stops at bombs, NUL bytes and web pages."""

    def __init__(self, raw: IO[bytes], allowed: int, is_wide: bool) -> None:
        self._raw, self._allowed, self._is_wide, self._seen = raw, allowed, is_wide, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._raw.read(len(buffer))
        if self._seen == 0:
            head = chunk[:2048].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
            if head.startswith((b"<!doctype html", b"<html", b"<head", b"<?xml")):
                raise Refused("is a web page, not data")
        self._seen += len(chunk)
        if self._seen > self._allowed:
            raise Refused("unpacks to more than max_expansion_ratio allows")
        if not self._is_wide and b"\x00" in chunk:
            raise Refused("has NUL bytes, so it is not text")
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        self._raw.close()
        super().close()


class Text:
    """Decoded text, strictly; lines keep their ends as they are, `count` is how many were read."""

    def __init__(self, stream: io.BufferedReader, source: SourceConfig) -> None:
        encoding = source.encoding.lower().replace("_", "-")
        if encoding in ("utf-8", "utf8"):
            encoding = "utf-8-sig"
        self._text = io.TextIOWrapper(stream, encoding=encoding, errors="strict", newline="")
        self.count = 0
        self.last = ""

    def line(self) -> str:
        """The next line, '' at the end."""
        line = self._text.readline(LONGEST_LINE)
        if len(line) == LONGEST_LINE and not line.endswith(("\n", "\r")):
            raise Refused(f"has a line of more than {LONGEST_LINE:,} characters")
        if line:
            self.last = line
        return line

    def lines(self) -> Iterator[str]:
        while line := self.line():
            self.count += 1
            yield line

    def block(self) -> str:
        """The next few megabytes, to the end of a line, '' at the end; the reader counts them."""
        block = self._text.read(BLOCK)
        if block:
            self.last = block[-1]
        return block if block.endswith("\n") else block + self.line()
