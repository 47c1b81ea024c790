"""One small company for the tests of this folder, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from sample_company import generate


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """80 customers, 30 months, about 60,000 events."""
    folder = tmp_path_factory.mktemp("sample")
    generate(folder, customers=80, months=30, events=60_000)
    return folder
