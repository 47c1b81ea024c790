"""Charts of the page as inline SVG: no script, so they show offline, in mail and in print.

Every mark says its figures in its label, which the page shows as a tooltip. The page's style sheet
maps the colours named here to those of dark mode.
"""

import datetime as dt
import math
import re
from collections.abc import Sequence
from typing import Any

import altair as alt
import vl_convert
from markupsafe import Markup

from exports.page_facts import Row
from exports.page_words import Words, write_day, write_money, write_month, write_percent

# Okabe and Ito's palette: told apart by colour-blind readers.
BLUE, ORANGE, GREEN, VERMILION = "#0072b2", "#e69f00", "#009e73", "#d55e00"
SKY, PURPLE, GREY = "#56b4e9", "#cc79a7", "#8a94a0"
INK, LINE = "#24303c", "#e3e7eb"

WIDTH, HEIGHT = 400, 210

USAGE_GROUPS = {
    "well": GREEN,
    "onboarding": SKY,
    "poor": VERMILION,
    "not_started": ORANGE,
    "unmeasured": GREY,
}
MOVEMENTS = {
    "new": BLUE,
    "expansion": GREEN,
    "reactivation": SKY,
    "late_renewal": GREY,
    "contraction": ORANGE,
    "churn": VERMILION,
    "currency_effect": PURPLE,
}


def draw_spark(values: list[Any]) -> Markup:
    """A line of a few pixels without axes, for beside a figure; nothing below two values."""
    figures = [float(value) for value in values if value is not None]
    if len(figures) < 2:
        return Markup("")
    low, high = min(figures), max(figures)
    points = " ".join(
        f"{80 * place / (len(figures) - 1):.1f},{21 - 18 * (value - low) / ((high - low) or 1):.1f}"
        for place, value in enumerate(figures)
    )
    return Markup(
        '<svg class="spark" viewBox="-1 0 84 24" aria-hidden="true" focusable="false">'
        '<polyline points="{}"/><circle cx="{}" cy="{}" r="2"/></svg>'
    ).format(points, *points.split()[-1].split(","))


def draw_usage_mix(rows: list[Row], words: Words) -> str:
    """Shares of the usage groups by week as layers, each named at the right end."""
    days = sorted({row["state_date"] for row in rows})
    shares = {(row["state_date"], row["usage_group"]): row for row in rows}
    data, names = [], []
    for day in days:
        upper = 1.0
        for group in USAGE_GROUPS:
            row = shares.get((day, group), {})
            share = float(row.get("customer_share") or 0)
            lower = max(0.0, upper - share)
            label = words.say(
                "use.point",
                group=words.name(group),
                share=write_percent(share),
                n=row.get("customer_count") or 0,
                day=write_day(day),
            )
            data.append(
                {"day": _iso(day), "group": group, "y": lower, "y2": upper, "label": str(label)}
            )
            if day == days[-1] and share >= 0.06:
                names.append(
                    {"day": _iso(day), "y": (lower + upper) / 2, "name": words.name(group)}
                )
            upper = lower
    colours = alt.Scale(domain=list(USAGE_GROUPS), range=list(USAGE_GROUPS.values()))
    base = alt.Chart(alt.Data(values=data)).encode(
        x=_time("day", days),
        y=alt.Y("y:Q", title=None, axis=alt.Axis(format=".0%", tickCount=5)),
        y2="y2:Q",
        color=alt.Color("group:N", scale=colours, legend=None),
    )
    touch = base.mark_bar(opacity=0, width=7).encode(description="label:N")
    ends = (
        alt.Chart(alt.Data(values=names))
        .mark_text(aria=False, align="left", dx=6, fontSize=12, color=INK)
        .encode(x="day:T", y="y:Q", text="name:N")
    )
    return _svg(base.mark_area(aria=False, opacity=0.75) + touch + ends, "usage-mix")


def draw_north_star(rows: list[Row], words: Words) -> str:
    """Customers that met the north star, by week."""
    data = [
        {
            "week": _iso(row["week_start"]),
            "customers": row["north_star"],
            "label": str(
                words.say(
                    "north_star.point", week=write_day(row["week_start"]), n=row["north_star"]
                )
            ),
        }
        for row in rows
    ]
    base = alt.Chart(alt.Data(values=data)).encode(
        x=_time("week", [row["week_start"] for row in rows]), y=_amount("customers")
    )
    return _svg(_line(base, BLUE), "north-star")


def draw_growth(rows: list[Row], words: Words) -> str:
    """Growth accounting of the north star: gains above zero, losses below, by week."""
    kinds = {"new_count": ("new", BLUE, 1), "resurrected_count": ("resurrected", SKY, 1)}
    kinds |= {"lost_count": ("lost", VERMILION, -1)}
    data = [
        {
            "week": _iso(row["week_start"]),
            "kind": words.say(f"north_star.{key}").lower(),
            "n": sign * row[column],
            "label": str(
                words.say(
                    "north_star.move",
                    week=write_day(row["week_start"]),
                    n=row[column],
                    kind=words.say(f"north_star.{key}").lower(),
                )
            ),
        }
        for row in rows
        for column, (key, _, sign) in kinds.items()
        if row[column]
    ]
    names = [words.say(f"north_star.{key}").lower() for key, _, _ in kinds.values()]
    chart = (
        alt.Chart(alt.Data(values=data))
        .mark_bar(size=5)
        .encode(
            x=_time("week", [row["week_start"] for row in rows]),
            y=_amount("n"),
            color=_colours("kind", names, [colour for _, colour, _ in kinds.values()]),
            description="label:N",
        )
    )
    return _svg(chart, "growth", height=110)


def draw_bridge(rows: list[Row], words: Words, currency: str) -> str:
    """MRR movements by month, losses below zero."""
    kinds = [kind for kind in MOVEMENTS if any(row[kind] for row in rows)]
    data = [
        {
            "month": write_month(row["month_start"]),
            "kind": words.name(kind),
            "mrr": float(row[kind]),
            "label": str(
                words.say(
                    "revenue.point",
                    month=write_month(row["month_start"]),
                    kind=words.name(kind),
                    amount=write_money(row[kind]),
                    currency=currency,
                )
            ),
        }
        for row in rows
        for kind in kinds
        if row[kind]
    ]
    chart = (
        alt.Chart(alt.Data(values=data))
        .mark_bar(size=18)
        .encode(
            x=_months([row["month_start"] for row in rows]),
            y=_amount("mrr"),
            color=_colours(
                "kind", [words.name(kind) for kind in kinds], [MOVEMENTS[kind] for kind in kinds]
            ),
            description="label:N",
        )
    )
    return _svg(chart, "bridge")


def choose_windows(rows: list[Row]) -> list[Row]:
    """The windows worth drawing: with at least a quarter of the newest one's customers.

    The first windows of a young company hold a handful, and swing between 0 and 100 %.
    """
    least = rows[-1]["customer_count"] / 4 if rows else 0
    return [row for row in rows if row["customer_count"] >= least]


def draw_retention(rows: list[Row], words: Words) -> str:
    """GRR and NRR over twelve months by the window's end, each named at its line's end."""
    data = [
        {
            "end": _iso(row["window_end"]),
            "rate": measure.upper(),
            "value": float(row[measure]),
            "label": str(
                words.say(
                    "revenue.retention_point",
                    rate=measure.upper(),
                    value=write_percent(row[measure], 1),
                    day=write_day(row["window_end"]),
                    n=row["customer_count"],
                )
            ),
        }
        for row in rows
        for measure in ("grr", "nrr")
        if row[measure] is not None
    ]
    rates = alt.Scale(domain=["NRR", "GRR"], range=[GREEN, BLUE])
    dashes = alt.Scale(domain=["NRR", "GRR"], range=[[6, 3], [1, 0]])
    base = alt.Chart(alt.Data(values=data)).encode(
        x=_time("end", [row["window_end"] for row in rows]),
        y=alt.Y("value:Q", title=None, axis=alt.Axis(format=".0%", tickCount=5)).scale(zero=False),
        color=alt.Color("rate:N", scale=rates, legend=None),
    )
    lines = base.mark_line(strokeWidth=2.5, aria=False).encode(
        strokeDash=alt.StrokeDash("rate:N", scale=dashes, legend=None)
    )
    touch = base.mark_circle(size=36, opacity=1).encode(description="label:N")
    return _svg(_add_names(lines + touch, data), "retention")


def _add_names(chart: Any, data: list[dict[str, Any]]) -> Any:
    """The names of GRR and NRR at their lines' ends, pushed apart where the ends are close."""
    values = [row["value"] for row in data]
    ends = sorted(
        (row for row in data if row["end"] == data[-1]["end"]),
        key=lambda row: (row["value"], row["rate"]),
    )
    is_close = ends[-1]["value"] - ends[0]["value"] < 0.08 * (max(values) - min(values))
    for row, shift in zip(ends, (8, -8), strict=False):
        dy = shift if is_close else 0
        chart += (
            alt.Chart(alt.Data(values=[row]))
            .mark_text(aria=False, align="left", dx=8, dy=dy, fontSize=12, color=INK)
            .encode(x="end:T", y="value:Q", text="rate:N")
        )
    return chart


def draw_renewals(rows: list[Row], words: Words, currency: str) -> str:
    """ARR due by month: renewed, lost or open; the forecast as a point with its range."""
    kinds = {"kept_arr": ("kept", BLUE), "lost_arr": ("lost", VERMILION)}
    kinds |= {"open_arr": ("open", GREY)}
    names = {column: words.say(f"renewals.{key}").lower() for column, (key, _) in kinds.items()}
    shown = [column for column in kinds if any(row[column] for row in rows)]
    bars = [
        {
            "month": write_month(row["due_month"]),
            "order": list(kinds).index(column),
            # what is open is paler, so that the forecast stands out
            "opacity": 0.5 if column == "open_arr" else 1,
            "kind": names[column],
            "arr": float(row[column]),
            "label": str(
                words.say(
                    "renewals.point",
                    month=write_month(row["due_month"]),
                    amount=write_money(row[column]),
                    currency=currency,
                    kind=names[column],
                )
            ),
        }
        for row in rows
        for column in shown
        if row[column]
    ]
    points = [
        {
            "month": write_month(row["due_month"]),
            "expected": float(row["expected_arr"]),
            "low": float(row["low"]),
            "high": float(row["high"]),
            "label": str(
                words.say(
                    "renewals.forecast_point",
                    month=write_month(row["due_month"]),
                    amount=write_money(row["expected_arr"]),
                    currency=currency,
                    low=write_money(row["low"]),
                    high=write_money(row["high"]),
                )
            ),
        }
        for row in rows
        if None not in (row["expected_arr"], row["low"], row["high"])
    ]
    month = _months([row["due_month"] for row in rows])
    chart = (
        alt.Chart(alt.Data(values=bars))
        .mark_bar(size=18)
        .encode(
            x=month,
            y=_amount("arr"),
            color=_colours(
                "kind", [names[kind] for kind in shown], [kinds[kind][1] for kind in shown]
            ),
            fillOpacity=alt.FillOpacity("opacity:Q", scale=None),
            order="order:Q",
            description="label:N",
        )
    )
    if points:
        base = alt.Chart(alt.Data(values=points)).encode(x=month)
        chart += base.mark_rule(color=INK, aria=False).encode(y="low:Q", y2="high:Q")
        chart += base.mark_point(
            color=INK, fill=INK, size=34, shape="diamond", opacity=1
        ).encode(y="expected:Q", description="label:N")  # fmt: skip
    return _svg(chart, "renewals")


def _line(base: alt.Chart, colour: str) -> Any:
    line = base.mark_line(color=colour, strokeWidth=2.5, aria=False)
    return line + base.mark_circle(color=colour, size=26, opacity=1).encode(description="label:N")


def _time(column: str, days: Sequence[dt.date]) -> alt.X:
    """An axis of months: a tick at the first of the days in each, five at the most."""
    firsts = list({(day.year, day.month): day for day in sorted(days, reverse=True)}.values())[::-1]
    if len(firsts) > 2 and (firsts[1] - firsts[0]).days < 15:
        firsts = firsts[1:]  # the end of a month has no room for a label of its own
    ticks = firsts[:: max(1, math.ceil(len(firsts) / 5))]
    axis = alt.Axis(
        format="%Y-%m",
        values=[alt.DateTime(year=day.year, month=day.month, date=day.day) for day in ticks],
        labelOverlap="greedy",
        grid=False,
    )
    return alt.X(f"{column}:T", title=None, axis=axis)


def _months(months: list[dt.date]) -> alt.X:
    """Every month by its number, the year below the first and each January: thirteen have room."""
    month, year = "slice(datum.label, 5)", "slice(datum.label, 0, 4)"
    return alt.X(
        "month:O",
        title=None,
        sort=[f"{month:%Y-%m}" for month in months],
        axis=alt.Axis(
            labelAngle=0,
            labelExpr=f"datum.index == 0 || {month} == '01' ? [{month}, {year}] : {month}",
            grid=False,
        ),
    )


def _amount(column: str) -> alt.Y:
    return alt.Y(f"{column}:Q", title=None, axis=alt.Axis(format="~s", tickCount=5))


def _colours(column: str, names: Sequence[str], colours: Sequence[str]) -> alt.Color:
    return alt.Color(
        f"{column}:N", scale=alt.Scale(domain=names, range=colours), title=None, sort=names
    )


def _iso(day: dt.date) -> str:
    return day.isoformat()


def _svg(chart: Any, name: str, height: int = HEIGHT) -> str:
    """The chart as SVG that scales with its place; ids are its own, whatever was drawn before."""
    styled = (
        chart.properties(width=WIDTH, height=height, background="transparent")
        .configure(font="system-ui, sans-serif")
        .configure_axis(
            aria=False,
            labelFontSize=12,
            labelColor=INK,
            gridColor=LINE,
            domainColor=LINE,
            tickColor=LINE,
            labelFont="system-ui, sans-serif",
        )
        .configure_view(stroke=None)
        .configure_legend(
            aria=False,
            orient="top",
            labelFontSize=12,
            labelColor=INK,
            symbolType="square",
            columns=4,
            columnPadding=20,
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
    svg = re.sub(r"(\d\.\d\d)\d+", r"\1", svg)  # hundredths of a pixel are enough
    return svg.replace("<svg", '<svg aria-hidden="true" focusable="false"', 1)
