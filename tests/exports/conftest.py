"""Shared by the tests of exports: one private file, and one publication of it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from exports.config import Company, ExportsConfig
from exports.publication import PublicationReport, publish_night
from tests.exports.private_night import build_night

COMPANY = Company(name="Sample & Sons", currency="EUR", zone="Europe/Berlin")

Publish = Callable[..., PublicationReport]


@pytest.fixture(scope="session")
def night_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The private file and the manifest of one night; read only."""
    return build_night(tmp_path_factory.mktemp("night"))


@pytest.fixture(scope="session")
def publish() -> Publish:
    """Publishes a night without the slow back door: publish(files, home, config)."""

    def publish_quickly(
        files: tuple[Path, Path], home: Path, config: ExportsConfig | None = None
    ) -> PublicationReport:
        return publish_night(*files, home, config or ExportsConfig(), COMPANY, check=lambda *_: [])

    return publish_quickly


@pytest.fixture
def plain_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page without charts: for tests that publish many times."""

    def write_plain(path: Path, *_: object) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("plain")
        return path

    monkeypatch.setattr("exports.publication.write_dashboard", write_plain)


@pytest.fixture(scope="session")
def published(
    night_files: tuple[Path, Path], publish: Publish, tmp_path_factory: pytest.TempPathFactory
) -> PublicationReport:
    """One published night; read only."""
    return publish(night_files, tmp_path_factory.mktemp("home"))
