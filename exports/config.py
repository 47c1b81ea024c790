"""The `exports:` section of `customer_health.yml`: how files for BI and the CRM are written."""

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


@dataclass(frozen=True)
class Company:
    """Whose numbers these are, for the head of the page and the end message."""

    name: str
    currency: str
    zone: str = "UTC"
    language: str = "en"


class ExportsConfig(BaseModel):
    """Formats, limits and retention of what a night publishes. Every field has a default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    csv_preset: Literal["standard", "excel"] = Field(
        default="standard",
        description=(
            "`excel` is for opening with a double click: a byte-order mark, moments as Excel reads "
            "them, and texts it would change (00123, 1E5, 1-10), ids too, as formulas of a text."
        ),
    )
    byte_order_mark: bool = Field(
        default=False, description="Begin each CSV with a UTF-8 byte-order mark."
    )
    csv_max_rows: int = Field(
        default=1_000_000,
        ge=1,
        description="A longer table goes out whole as Parquet, and as CSV with its last 90 days.",
    )
    keep_exports: int = Field(default=7, ge=1, description="Export folders that stay.")
    keep_published: int = Field(default=7, ge=1, description="Published DuckDB files that stay.")
    max_row_loss_share: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description=(
            "A table that lost a larger share of its rows since the last publication refuses the "
            "night (1 allows any loss)."
        ),
    )
    publish_to: str | None = Field(
        default=None,
        description=(
            "fsspec URL that receives a copy of each export folder, for example "
            "`s3://bucket/health` or `file:///mnt/share/health`. Secrets come from the environment."
        ),
    )

    @property
    def has_byte_order_mark(self) -> bool:
        """True when CSV files begin with a byte-order mark, by itself or by the preset."""
        return self.byte_order_mark or self.csv_preset == "excel"
