"""What the first files had otherwise: rows that a later file corrects, changes or leaves out."""

from __future__ import annotations

import polars as pl

from sample_company.contract_book import Book, Line
from sample_company.tables import money

VANISHED = "C900001"  # an account of the first snapshot that the second no longer has


def mistype(order_lines: pl.DataFrame, book: Book) -> pl.DataFrame:
    """Amounts that stay wrong in the files; `adjustments` puts them right."""
    wrong = {line.order_line_id: money(line.amount * 10) for line in adjusted_lines(book)}
    return _replace_amounts(order_lines, wrong)


def first_order_lines(order_lines: pl.DataFrame, book: Book) -> pl.DataFrame:
    """Amounts that are wrong in the first file and right in a later one."""
    wrong = {line.order_line_id: money(line.amount + 10000) for line in corrected_lines(book)}
    return _replace_amounts(order_lines, wrong)


def _replace_amounts(order_lines: pl.DataFrame, wrong: dict[str, str]) -> pl.DataFrame:
    if not wrong:
        return order_lines
    return order_lines.with_columns(
        amount=pl.col("order_line_id").replace_strict(wrong, default=pl.col("amount"))
    )


def first_accounts(accounts: pl.DataFrame) -> pl.DataFrame:
    """The segment before a few grew out of it, and one account that is gone in the second."""
    number = pl.int_range(pl.len())
    grew = (number % 41 == 40) & (pl.col("segment") != "small")
    before = accounts.with_columns(
        segment=pl.when(grew).then(pl.lit("small")).otherwise(pl.col("segment"))
    )
    gone = accounts.head(1).with_columns(
        customer_id=pl.lit(VANISHED),
        name=pl.lit("Vorbei 1 GmbH"),
        legal_id=pl.lit("HRB1"),
        domain=pl.lit("vorbei.example"),
        parent_customer_id=pl.lit(None, pl.String),
        merged_into_customer_id=pl.lit(None, pl.String),
    )
    return pl.concat([before, gone])


def first_prices(prices: pl.DataFrame) -> pl.DataFrame:
    """The price of storage before somebody overwrote it in place."""
    is_edited = (pl.col("product_id") == "ARCHIVE") & pl.col("valid_to").is_null()
    return prices.with_columns(
        price=pl.when(is_edited).then(pl.lit("1.90")).otherwise(pl.col("price"))
    )


def first_surveys(surveys: pl.DataFrame) -> pl.DataFrame:
    """Three answers were typed wrong at first."""
    number = pl.int_range(pl.len())
    is_wrong = pl.col("score").is_not_null() & (number.is_in([4, 11, 19]))
    return surveys.with_columns(
        score=pl.when(is_wrong).then(pl.lit(1.0)).otherwise(pl.col("score"))
    )


def adjusted_lines(book: Book) -> list[Line]:
    """The first paid line of each customer with the story: the file has it ten times too high."""
    return _first_lines(book, "adjusted")


def corrected_lines(book: Book) -> list[Line]:
    """The same for lines wrong in the first file and right in a later one."""
    return _first_lines(book, "corrected")


def _first_lines(book: Book, story: str) -> list[Line]:
    first: dict[str, Line] = {}
    for line in book.lines:
        if story in line.order.customer.stories and line.amount > 0:
            first.setdefault(line.order.customer.customer_id, line)
    return list(first.values())
