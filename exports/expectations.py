"""The back door: Great Expectations over the small tables that people act on.

Keys, columns and counts are the audit's; here stand ranges and allowed values.
"""

import os
from typing import TYPE_CHECKING, Any

import duckdb

from exports.audit import Finding
from exports.private_file import Relation

if TYPE_CHECKING:
    import pandas as pd

HEALTH_BANDS = ("red", "yellow", "green", "unknown")
STATUSES = (
    "prospect",
    "trial",
    "signed",
    "formal",
    "renewed",
    "pay_as_you_go",
    "lapsed",
    "churned",
)
USAGE_STATES = (
    "not_customer",
    "trial",
    "unmeasured",
    "not_started",
    "silent",
    "dormant",
    "resurrected",
    "onboarding",
    "declining",
    "low",
    "high",
    "normal",
)


def between(column: str, low: float | None, high: float | None) -> tuple[str, dict[str, Any]]:
    """An expectation: values lie in [low, high]; nulls are not measured and pass."""
    return "ExpectColumnValuesToBeBetween", {
        "column": column,
        "min_value": low,
        "max_value": high,
    }


def among(column: str, *allowed: str) -> tuple[str, dict[str, Any]]:
    """An expectation: values are of the allowed ones; nulls pass."""
    return "ExpectColumnValuesToBeInSet", {"column": column, "value_set": list(allowed)}


EXPECTATIONS: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {
    "customer_360": (
        among("status", *STATUSES),
        among("usage_state", *USAGE_STATES),
        among("health_band", *HEALTH_BANDS),
        between("mrr", 0, None),
        between("arr", 0, None),
        between("health_score", 0, 100),
        between("health_coverage", 0, 1),
        between("churn_probability", 0, 1),
    ),
    "mrr_bridge_monthly": (
        between("opening_mrr", 0, None),
        between("closing_mrr", 0, None),
        between("new", 0, None),
        between("expansion", 0, None),
        between("contraction", None, 0),
        between("churn", None, 0),
    ),
    "health_scores": (
        between("health_score", 0, 100),
        between("score_low", 0, 100),
        between("score_high", 0, 100),
        between("coverage", 0, 1),
        among("health_band", *HEALTH_BANDS),
    ),
    "churn_warnings": (
        among("kind", "risk", "upsell"),
        between("churn_probability", 0, 1),
        between("due_arr", 0, None),
        between("expected_saved_arr", 0, None),
    ),
}


def check_expectations(
    connection: duckdb.DuckDBPyConnection, relations: dict[str, Relation]
) -> list[Finding]:
    """Findings of Great Expectations over the small tables. The import takes seconds."""
    return check_frames(read_frames(connection, relations))


def read_frames(
    connection: duckdb.DuckDBPyConnection, relations: dict[str, Relation]
) -> "dict[str, pd.DataFrame]":
    """The columns that are checked, by table; tables that are not there are left out."""
    return {
        name: connection.execute(
            "select "
            + ", ".join(sorted({f'"{arguments["column"]}"' for _, arguments in expectations}))
            + f" from {relations[name].path}"
        ).df()
        for name, expectations in EXPECTATIONS.items()
        if name in relations
    }


def check_frames(frames: "dict[str, pd.DataFrame]") -> list[Finding]:
    """Findings of Great Expectations, also in a process that cannot read the private file."""
    return [finding for name, frame in frames.items() for finding in _validate(name, frame)]


def _validate(name: str, frame: "pd.DataFrame") -> list[Finding]:
    if frame.empty:
        return []
    # read before the import: nothing leaves the machine
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    batch = (
        context.data_sources.add_pandas(name)
        .add_dataframe_asset(name)
        .add_batch_definition_whole_dataframe(name)
        .get_batch({"dataframe": frame})
    )
    suite = gx.ExpectationSuite(
        name=name,
        expectations=[
            getattr(gx.expectations, kind)(**arguments) for kind, arguments in EXPECTATIONS[name]
        ],
    )
    outcome = batch.validate(suite, result_format="BASIC")
    return [
        Finding(name, "error", _sentence(result.to_json_dict()))
        for result in outcome.results
        if not result.success
    ]


def _sentence(result: dict[str, Any]) -> str:
    """One line of one failed expectation: column, what was expected, how many, an example."""
    if result["exception_info"].get("raised_exception"):
        return f"the check failed: {result['exception_info']['exception_message']}"
    arguments = result["expectation_config"]["kwargs"]
    if "value_set" in arguments:
        expected = "one of " + ", ".join(arguments["value_set"])
    else:
        low, high = arguments.get("min_value"), arguments.get("max_value")
        expected = " and ".join(
            words
            for words in (
                f"at least {low:g}" if low is not None else "",
                f"at most {high:g}" if high is not None else "",
            )
            if words
        )
    seen = result["result"]
    example = (seen.get("partial_unexpected_list") or ["?"])[0]
    return (
        f"{arguments['column']} must be {expected}; {seen.get('unexpected_count')} rows are not,"
        f" for example {example}"
    )
