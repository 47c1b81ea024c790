"""Charts of the page as inline SVG: no script, so they show offline, in mail and in print."""

import datetime as dt
import re
from typing import Any

import altair as alt
import vl_convert

from exports.page_facts import Row

# Okabe and Ito's palette: told apart by colour-blind readers.
BLUE, ORANGE, GREEN, VERMILION = "#0072b2", "#e69f00", "#009e73", "#d55e00"
SKY, PURPLE, GREY = "#56b4e9", "#cc79a7", "#8a94a0"
INK, LINE = "#24303c", "#e3e7eb"

WIDTH, HEIGHT = 460, 220

MOVEMENTS = {
    "new": BLUE,
    "expansion": GREEN,
    "reactivation": SKY,
    "late_renewal": GREY,
    "contraction": ORANGE,
    "churn": VERMILION,
    "currency_effect": PURPLE,
}


def draw_north_star(rows: list[Row]) -> str:
    """Customers that met the north star, by week."""
    data = [{"week": _day(row["week_start"]), "customers": row["north_star"]} for row in rows]
    chart = (
        alt.Chart(alt.Data(values=data))
        .mark_line(color=BLUE, strokeWidth=2.5, point=alt.OverlayMarkDef(color=BLUE, size=18))
        .encode(x=_time("week"), y=_amount("customers"))
    )
    return _svg(chart, "north-star")


def draw_bridge(rows: list[Row]) -> str:
    """MRR movements by month, losses below zero."""
    kinds = [kind for kind in MOVEMENTS if any(row.get(kind) for row in rows)]
    data = [
        {"month": _month(row["month_start"]), "kind": kind.replace("_", " "), "mrr": float(amount)}
        for row in rows
        for kind in kinds
        if (amount := row.get(kind))
    ]
    scale = alt.Scale(
        domain=[kind.replace("_", " ") for kind in kinds],
        range=[MOVEMENTS[kind] for kind in kinds],
    )
    chart = (
        alt.Chart(alt.Data(values=data))
        .mark_bar(size=20)
        .encode(
            x=_category("month"),
            y=_amount("mrr"),
            color=alt.Color("kind:N", scale=scale, title=None),
        )
    )
    return _svg(chart, "bridge")


def draw_retention(rows: list[Row]) -> str:
    """GRR and NRR over twelve months, by the window's end."""
    data = [
        {"end": _day(row["window_end"]), "rate": measure.upper(), "value": float(row[measure])}
        for row in rows
        for measure in ("grr", "nrr")
        if row[measure] is not None
    ]
    scale = alt.Scale(domain=["NRR", "GRR"], range=[GREEN, BLUE])
    dashes = alt.Scale(domain=["NRR", "GRR"], range=[[6, 3], [1, 0]])
    chart = (
        alt.Chart(alt.Data(values=data))
        .mark_line(strokeWidth=2.5, point=alt.OverlayMarkDef(size=18))
        .encode(
            x=_time("end"),
            y=alt.Y("value:Q", title=None, axis=alt.Axis(format=".0%", tickCount=5)).scale(
                zero=False
            ),
            color=alt.Color("rate:N", scale=scale, title=None),
            strokeDash=alt.StrokeDash("rate:N", scale=dashes, legend=None),
        )
    )
    return _svg(chart, "retention")


def draw_renewals(rows: list[Row]) -> str:
    """ARR due by month, open or renewed already."""
    data = [
        {
            "month": _month(row["due_month"]),
            "state": "open" if row["is_open"] else "renewed",
            "arr": float(row["due_arr"] or 0),
        }
        for row in rows
    ]
    scale = alt.Scale(domain=["open", "renewed"], range=[ORANGE, BLUE])
    chart = (
        alt.Chart(alt.Data(values=data))
        .mark_bar(size=20)
        .encode(
            x=_category("month"),
            y=_amount("arr"),
            color=alt.Color("state:N", scale=scale, title=None),
        )
    )
    return _svg(chart, "renewals")


def _time(column: str) -> alt.X:
    axis = alt.Axis(
        format="%b %y", tickCount=5, labelOverlap="greedy", labelSeparation=12, grid=False
    )
    return alt.X(f"{column}:T", title=None, axis=axis)


def _category(column: str) -> alt.X:
    return alt.X(
        f"{column}:O",
        title=None,
        sort=None,
        axis=alt.Axis(labelAngle=0, labelExpr="split(datum.label, ' ')", grid=False),
    )


def _amount(column: str) -> alt.Y:
    return alt.Y(f"{column}:Q", title=None, axis=alt.Axis(format="~s", tickCount=5))


def _day(date: dt.date) -> str:
    return date.isoformat()


def _month(date: dt.date) -> str:
    return date.strftime("%b %y")


def _svg(chart: Any, name: str) -> str:
    """The chart as SVG that scales with its place; ids are its own, whatever was drawn before."""
    styled = (
        chart.properties(width=WIDTH - 60, height=HEIGHT, background="transparent")
        .configure(font="system-ui, sans-serif")
        .configure_axis(
            labelFontSize=12,
            labelColor=INK,
            gridColor=LINE,
            domainColor=LINE,
            tickColor=LINE,
            labelFont="system-ui, sans-serif",
        )
        .configure_view(stroke=None)
        .configure_legend(
            orient="top",
            labelFontSize=12,
            labelColor=INK,
            symbolType="square",
            columns=4,
            columnPadding=18,
        )
    )
    svg = vl_convert.vegalite_to_svg(styled.to_json(), vl_version="6.4")
    seen: dict[str, str] = {}
    svg = re.sub(
        r"\b(clip|gradient_?)(\d+)\b",
        lambda found: seen.setdefault(found[0], f"{name}-{len(seen)}"),
        svg,
    )
    svg = re.sub(r'^(<svg[^>]*?) width="[^"]*" height="[^"]*"', r"\1", svg)
    return svg.replace("<svg", '<svg aria-hidden="true" focusable="false"', 1)
