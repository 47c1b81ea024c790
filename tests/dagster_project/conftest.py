"""A small company and its first two nights, run once for all tests and workers."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from filelock import FileLock

from sample_company import generate
from tests.dagster_project.nights import CONTENT, night


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this run see."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def company(shared: Path) -> Path:
    folder = shared / "company"
    with FileLock(shared / "company.lock"):
        if not folder.exists():
            generate(folder, customers=30, months=14, events=20_000)
    return folder


@pytest.fixture(scope="session")
def first(company: Path, shared: Path) -> tuple[Path, str]:
    """The data root of the first night, which no test changes, and what the night printed."""
    home, printed = shared / "first", shared / "first.txt"
    with FileLock(shared / "first.lock"):
        if not printed.exists():
            printed.write_text(night(company, home))
    return home, printed.read_text()


@pytest.fixture(scope="session")
def second(company: Path, first: tuple[Path, str], shared: Path) -> tuple[Path, str]:
    """The same of the night after, with other rules, corrected rows, late ones and a bad file.

    A customer that was content answers that it no longer is.
    """
    later, home, printed = shared / "later", shared / "second", shared / "second.txt"
    with FileLock(shared / "second.lock"):
        if not printed.exists():
            shutil.copytree(company, later)
            shutil.copytree(first[0], home, symlinks=True)
            deliver_the_next_day(later)
            printed.write_text(night(later, home, "--as-of", "2026-07-01"))
    return home, printed.read_text()


def deliver_the_next_day(company: Path) -> None:
    crm, activities = company / "inbox/crm", company / "inbox/activities"
    (crm / "contacts-2026-07-01.csv").write_text("<html>Sign in</html>\n")
    accounts = (crm / "accounts-2026-06-30.csv").read_text()
    (crm / "accounts-2026-07-01.csv").write_text(accounts.replace(",software,", ",retail,"))
    interactions = (activities / "interactions-2026-06-30.jsonl").read_text()
    late = interactions.replace('"interaction_id":"I', '"interaction_id":"late-')
    (activities / "interactions-2026-07-01.jsonl").write_text(
        late.replace('"entered":"2026-06', '"entered":"2026-07-01T08:00:00Z","was":"')
    )
    (crm / "surveys-2026-07-01.csv").write_text(
        "survey_id,account_no,kind,sent_at,responded_at,score\n"
        f"last,{CONTENT},nps,2026-06-30T08:00:00Z,2026-07-01T09:00:00Z,3\n"
    )
    with (company / "customer_health.yml").open("a") as config:
        config.write("\nscoring: {health: {components: {usage_level: {weight: 40}}}}\n")
