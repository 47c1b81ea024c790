"""The published tables for people: the pages docs/tables.md and docs/metrics.md."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from exports.descriptions import Description
from exports.staging import StagedTable
from exports.tables import AREAS

TITLES = {
    "customer": "Customers",
    "use": "Use",
    "service": "Service",
    "money": "Money",
    "people": "People and process",
    "audit": "Audit",
    "scores": "Scores",
    "trust": "Trust",
    "contract": "What scoring read",
}

TABLES_INTRODUCTION = """\
# Tables

Every table of a night, as it stands in `published/current.duckdb` (schema `main`) and, but for the
last group, as CSV and Parquet in `exports/current/`. The first sentence of a table says what one
row is; its key is unique. An empty value is "not known" or "not measured", never 0. Money is in
the company's currency unless a column says otherwise, moments are UTC, days are the company's.
Every table also carries `run_id`. This page is generated from the descriptions in `dbt/models`.
"""

METRICS_INTRODUCTION = """\
# Metrics

What the numbers mean. Names in the formulas are columns ([tables](tables.md)) or settings of
`customer_health.yml`. The same list is published as `metric_definitions`. This page is generated
from that table and from the words of `dbt/models`.
"""

LAYER_INTRODUCTION = """\
## Asked by name

These can be asked by name, for any period and split by what a customer is tonight, with
MetricFlow over the published file ([how](analysts.md#metrics-by-name)). They equal the tables.
A month, quarter or year shows the value of its last day, week or window, never a sum over days.
"""

WORDS_INTRODUCTION = """\
## Words

Values that columns take, and what stands behind some of them.
"""


@dataclass(frozen=True)
class Definition:
    """One row of metric_definitions."""

    metric: str
    formula: str
    owner: str
    stands_in: str | None = None


def tables_page(
    tables: Iterable[StagedTable],
    descriptions: Mapping[str, Description],
    words: Mapping[str, str],
) -> str:
    """The Markdown page of all published tables.

    `tables` have the published columns and types; `words` are the doc blocks by name, which the
    page of metrics holds.
    """
    staged = {table.export.name: table for table in tables}
    names = {text: name for name, text in words.items()}
    parts = [TABLES_INTRODUCTION]
    for area, exports in AREAS.items():
        parts.append(f"## {TITLES[area]}\n")
        parts += [
            _section(staged[export.name], descriptions[export.name], names) for export in exports
        ]
    return "\n".join(parts).rstrip() + "\n"


def metrics_page(
    definitions: Iterable[Definition],
    layer: Mapping[str, str],
    tables: Iterable[StagedTable],
    words: Mapping[str, str],
) -> str:
    """The Markdown page of all metrics.

    `layer`: metrics of the metrics layer with their descriptions; `words`: doc blocks by name, of
    which those that stand in published tables are wanted.
    """
    homes: dict[str, list[str]] = {}
    for table in tables:
        for column in table.columns:
            homes.setdefault(column, []).append(table.export.name)
    owners: dict[str, list[Definition]] = {}
    for definition in definitions:
        owners.setdefault(definition.owner, []).append(definition)
    parts = [METRICS_INTRODUCTION]
    for owner, owned in owners.items():
        parts.append(f"## {owner.capitalize()}\n")
        rows = [
            (
                f"`{each.metric}`",
                each.formula,
                each.stands_in or ", ".join(homes.get(each.metric, ())),
            )
            for each in owned
        ]
        parts.append(_table(("metric", "formula", "stands in"), rows))
    parts.append(LAYER_INTRODUCTION)
    parts.append(
        _table(("metric", "meaning"), [(f"`{name}`", text) for name, text in layer.items()])
    )
    parts.append(WORDS_INTRODUCTION)
    parts += [f"### {name}\n\n{text}\n" for name, text in words.items()]
    return "\n".join(parts).rstrip() + "\n"


def _section(table: StagedTable, description: Description, names: Mapping[str, str]) -> str:
    rows = [
        (name, data_type.lower(), _in_a_cell(description.column(name), names))
        for name, data_type in table.columns.items()
        if name != "run_id" or name in table.export.key
    ]
    lines = [f"### {table.export.name}\n", f"{description.text}\n"]
    if table.export.key:
        lines.append(f"Key: {', '.join(table.export.key)}.\n")
    return "\n".join([*lines, _table(("column", "type", "meaning"), rows)])


def _in_a_cell(text: str, names: Mapping[str, str]) -> str:
    """A description on one line; what has a table of its own is linked."""
    if text in names and "\n|" in text:
        opening = "" if text.startswith("|") else text.partition("\n\n")[0]
        return " ".join([*opening.split(), f"[Values](metrics.md#{names[text]})."])
    return " ".join(text.split())


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, *rows]
    cells = [" | ".join(cell.replace("|", "\\|") for cell in line) for line in lines]
    rule = f"|{'---|' * len(head)}"
    return "\n".join([f"| {cells[0]} |", rule, *(f"| {line} |" for line in cells[1:])]) + "\n"
