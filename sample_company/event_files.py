"""The product's event files: a quarter or month in one Parquet file, the last fortnight nightly.

Web events come as Parquet, those of the mobile app as csv.gz with ids of their own. On
`OUTAGE` days the web source delivers nothing for anybody; some events of `LATE_DAY` come days
later in a file of their own, which also repeats rows already delivered; one nightly file begins
with rows of the night before. Only one chunk of events is held at a time.
"""

from __future__ import annotations

import gzip
import io
from datetime import date, timedelta
from pathlib import Path
from typing import IO

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sample_company.catalogue import EVENTS
from sample_company.dates import LAST_DAY
from sample_company.files import BadRow, FileFact, Manifest
from sample_company.logins import Chunk
from sample_company.population import Population

OUTAGE = (date(2026, 5, 19), date(2026, 5, 20), date(2026, 5, 21))
LATE_DAY, LATE_DELIVERY = date(2026, 6, 18), date(2026, 6, 23)
REPEATED_DAY, REPEATED_ROWS = date(2026, 6, 24), 150
LATE_REPEATED_ROWS = 120
BAD_DAY = date(2026, 6, 19)
NIGHTLY_FROM = date(2026, 6, 17)

SCHEMA = pa.schema(
    [
        ("ts", pa.timestamp("us", tz="UTC")),
        ("workspace", pa.string()),
        ("actor", pa.string()),
        ("action", pa.string()),
        ("module", pa.string()),
        ("seconds", pa.int64()),
        ("units", pa.int64()),
    ]
)
MOBILE_HEADER = "id,time,workspace,actor,action,module,seconds,units\n"


class EventFiles:
    """Writes chunks as they come; `close` ends the open files and writes the late one."""

    def __init__(
        self,
        inbox: Path,
        population: Population,
        start: date,
        manifest: Manifest,
        months_a_file: int,
    ) -> None:
        self.inbox = inbox
        self.months_a_file = months_a_file
        self.start = start
        self.manifest = manifest
        self.users = pa.array(population.user_ids)
        self.tenants = pa.array(population.tenant_ids)
        self.names = pa.array([event.name for event in EVENTS])
        self.modules = pa.array([event.feature for event in EVENTS], pa.string())
        self.late: list[pa.Table] = []
        self.late_repeats: pa.Table | None = None
        self.repeats: pa.Table | None = None
        self.web: pq.ParquetWriter | None = None
        self.web_name = self.period = ""
        self.web_rows = self.web_duplicates = 0
        self.mobile: gzip.GzipFile | None = None
        self.mobile_raw: IO[bytes] | None = None
        self.mobile_name = ""
        self.mobile_rows = self.mobile_ids = 0
        (inbox / "product").mkdir(parents=True, exist_ok=True)
        (inbox / "mobile").mkdir(parents=True, exist_ok=True)

    def begin(self, month: date) -> None:
        """A new month: the files before it are complete if it begins a period of its own."""
        if self.mobile is not None and (month.month - 1) % self.months_a_file:
            self._bad_mobile_rows(month)
            return
        self._end_files()
        self.period = f"{month:%Y-%m}"
        name = f"mobile/app-events-{self.period}.csv.gz"
        self.mobile_name, self.mobile_rows = name, 0
        self.mobile_raw = (self.inbox / name).open("wb")
        self.mobile = gzip.GzipFile("", "wb", 3, self.mobile_raw, mtime=0)
        self.mobile.write(MOBILE_HEADER.encode())
        self._bad_mobile_rows(month)

    def add(self, chunk: Chunk) -> NDArray[np.bool_]:
        """Write a chunk; returns which of its events were delivered by now or later."""
        outage = np.isin(chunk.day, [(day - self.start).days for day in OUTAGE])
        is_web = ~chunk.is_mobile
        rows = self._table(chunk)
        self._add_mobile(rows.filter(pa.array(chunk.is_mobile)))
        is_now = is_web & ~outage
        first_day = self.start + timedelta(days=int(chunk.day[0]))
        if first_day == LATE_DAY:
            is_late = is_now & (chunk.tenant % 10 == 3)
            self.late.append(rows.filter(pa.array(is_late)))
            is_now &= ~is_late
            self.late_repeats = rows.filter(pa.array(is_now)).slice(40, LATE_REPEATED_ROWS)
        web = rows.filter(pa.array(is_now))
        if first_day >= NIGHTLY_FROM:
            self._end_web()
            self._open_web(f"product/events-{first_day:%Y-%m-%d}.parquet")
            if first_day == REPEATED_DAY + timedelta(days=1) and self.repeats is not None:
                web = pa.concat_tables([self.repeats, web])
                self.web_duplicates = len(self.repeats)
            if first_day == REPEATED_DAY:
                self.repeats = web.slice(0, REPEATED_ROWS)
            if first_day == BAD_DAY:
                web = self._bad_web_rows(web)
        elif self.web is None:
            self._open_web(f"product/events-{self.period}.parquet")
        assert self.web is not None
        self.web.write_table(web, row_group_size=500_000)
        self.web_rows += len(web)
        return np.asarray(is_web & ~outage | chunk.is_mobile)

    def close(self) -> None:
        self._end_files()
        if self.late and self.late_repeats is not None:
            self._open_web(f"product/events-{LATE_DELIVERY}-late.parquet")
            assert self.web is not None
            rows = pa.concat_tables([*self.late, self.late_repeats])
            self.web.write_table(rows)
            self.web_rows, self.web_duplicates = len(rows), len(self.late_repeats)
            self._end_web()

    def _table(self, chunk: Chunk) -> pa.Table:
        return pa.Table.from_arrays(
            [
                pa.array(chunk.second * 1_000_000, pa.timestamp("us", tz="UTC")),
                self.tenants.take(pa.array(chunk.tenant)),
                self.users.take(pa.array(chunk.user)),
                self.names.take(pa.array(chunk.event)),
                self.modules.take(pa.array(chunk.event)),
                pa.array(chunk.duration, mask=chunk.duration < 0),
                pa.array(chunk.quantity, mask=chunk.quantity < 0),
            ],
            schema=SCHEMA,
        )

    def _open_web(self, name: str) -> None:
        self.web_name, self.web_rows, self.web_duplicates = name, 0, 0
        self.web = pq.ParquetWriter(self.inbox / name, SCHEMA, compression="zstd")

    def _end_web(self) -> None:
        if self.web is None:
            return
        self.web.close()
        self.web = None
        bad = sum(row.file == self.web_name for row in self.manifest.bad_rows)
        self.manifest.files.append(
            FileFact(self.web_name, "product_events", "product", self.web_rows, bad,
                     self.web_duplicates)
        )  # fmt: skip

    def _end_files(self) -> None:
        self._end_web()
        if self.mobile is None or self.mobile_raw is None:
            return
        self.mobile.close()
        self.mobile_raw.close()
        self.mobile = None
        bad = sum(row.file == self.mobile_name for row in self.manifest.bad_rows)
        self.manifest.files.append(
            FileFact(self.mobile_name, "product_events", "mobile", self.mobile_rows, bad, 0)
        )

    def _add_mobile(self, rows: pa.Table) -> None:
        assert self.mobile is not None
        frame = pl.DataFrame(pl.from_arrow(rows)).select(
            id=pl.format("m{}", pl.int_range(self.mobile_ids, self.mobile_ids + len(rows))),
            time=pl.col("ts").dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
            workspace="workspace",
            actor="actor",
            action="action",
            module="module",
            seconds="seconds",
            units="units",
        )
        self.mobile_ids += len(rows)
        self.mobile_rows += len(rows)
        buffer = io.BytesIO()
        frame.write_csv(buffer, include_header=False)
        self.mobile.write(buffer.getvalue())

    def _bad_mobile_rows(self, month: date) -> None:
        """A time nobody can read, a number that is none, and a moment years ahead, in June."""
        if month != LAST_DAY.replace(day=1):
            return
        assert self.mobile is not None
        bad = (
            ("bad-1,yesterday,t-000001,u0000001,login,,60,", "occurred_at", "type"),
            ("bad-2,2026-06-02T09:00:00Z,t-000001,u0000001,login,,soon,", "duration_seconds",
             "type"),
            ("bad-3,2031-01-01T09:00:00Z,t-000001,u0000001,login,,60,", "occurred_at", "future"),
        )  # fmt: skip
        for line, (text, column, reason) in enumerate(bad, start=self.mobile_rows + 2):
            self.mobile.write(f"{text}\n".encode())
            self.manifest.bad_rows.append(
                BadRow(self.mobile_name, line, "product_events", column, reason)
            )
        self.mobile_rows += len(bad)

    def _bad_web_rows(self, web: pa.Table) -> pa.Table:
        """An event without name, one without time, and one older than the company."""
        row = web.slice(0, 1).to_pylist()[0]
        old = row["ts"].replace(year=1999)
        bad = [row | {"action": None}, row | {"ts": None}, row | {"ts": old}]
        columns = (("event_name", "missing"), ("occurred_at", "missing"), ("occurred_at", "old"))
        for line, (column, reason) in enumerate(columns, start=6):
            self.manifest.bad_rows.append(
                BadRow(self.web_name, line, "product_events", column, reason)
            )
        return pa.concat_tables(
            [web.slice(0, 5), pa.Table.from_pylist(bad, schema=SCHEMA), web.slice(5)]
        )
