import re
from html.parser import HTMLParser
from typing import ClassVar

import duckdb
import pytest

from exports.dashboard import group_queue, mix_usage, money, percent, render_dashboard, say_why
from exports.page_facts import read_page_facts
from tests.exports.conftest import COMPANY
from tests.exports.private_night import SCORE_TABLES, build_night


@pytest.fixture(scope="module")
def page(published):
    return published.dashboard.read_text(encoding="utf-8")


def test_the_page_refers_to_nothing_outside_itself(page):
    class References(HTMLParser):
        found: ClassVar[list[str]] = []

        def handle_starttag(self, tag, attrs):
            self.found += [
                value for name, value in attrs if name in ("src", "href", "xlink:href", "data")
            ]
            assert tag not in ("script", "iframe", "img", "object", "embed")

    parser = References()
    parser.feed(page)
    assert [value for value in parser.found if not value.startswith(("data:,", "#"))] == []
    assert "url(http" not in page
    assert "@import" not in page


def test_the_page_is_light(page):
    assert len(page.encode()) < 500_000


def test_the_head_says_whose_night_it_is_and_whether_to_trust_it(page):
    assert "Sample &amp; Sons: customer health" in page
    assert "Sunday, 2024-06-30" in page
    assert "The score helps to find losses 90 days ahead." in page
    assert "Source stale" in page
    assert "sentiment (weight 10)" in page


def test_names_cannot_inject_markup(tmp_path, publish):
    files = build_night(tmp_path / "night")
    with duckdb.connect(str(files[0])) as connection:
        connection.execute("update customer_360 set customer_name = '<script>alert(1)</script>'")
    page = publish(files, tmp_path / "home").dashboard.read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_ids_inside_the_charts_do_not_repeat(page):
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_the_page_is_the_same_when_drawn_again(published, page):
    assert render_dashboard(read_page_facts(published.database), COMPANY) == page


def test_a_company_without_subscriptions_or_events_has_a_page(tmp_path, publish):
    files = build_night(tmp_path / "night")
    with duckdb.connect(str(files[0])) as connection:
        for table in (
            "main.subscription_terms",
            "main.renewals",
            "main.mrr_bridge_monthly",
            "main.retention_monthly",
            "main.north_star_weekly",
            "main.data_alarms",
        ):
            connection.execute(f"delete from {table}")
        for table in SCORE_TABLES:
            connection.execute(
                f"create or replace view scores.{table} as"
                f" select * from read_parquet('{tmp_path}/night/{table}.parquet') where false"
            )
        connection.execute(
            "update customer_360 set status = 'pay_as_you_go', mrr = null, arr = null,"
            " contracted_arr = null, usage_state = 'unmeasured', health_band = null,"
            " health_score = null"
        )
    page = publish(files, tmp_path / "home").dashboard.read_text(encoding="utf-8")
    assert "No open risk warning" in page
    assert "Not measured: no product events" in page
    assert 'title="not measured"' in page


def test_shares_of_the_usage_mix_add_to_one(published):
    facts = read_page_facts(published.database)
    mix = mix_usage(facts.usage_states, facts.paying_count)
    assert sum(part["customer_count"] for part in mix) == facts.paying_count == 40
    assert abs(sum(part["share"] for part in mix) - 1) < 1e-12


def test_the_queue_is_by_csm_with_most_arr_first_and_what_was_cut_apart():
    rows = [
        {"csm": "Ana", "due_arr": 10, "is_within_budget": True},
        {"csm": "Bo", "due_arr": 50, "is_within_budget": False},
        {"csm": "Ana", "due_arr": None, "is_within_budget": None},
    ]
    groups = group_queue(rows)
    assert [group["csm"] for group in groups] == ["Bo", "Ana"]
    assert [(len(group["now"]), len(group["cut"])) for group in groups] == [(0, 1), (2, 0)]


def test_the_sentences_of_the_drivers_say_why_else_the_reason_of_the_score():
    drivers = '[{"code": "no_owner", "sentence": "Nobody owns it."}]'
    assert say_why({"drivers": drivers, "reason": "r"}) == ["Nobody owns it."]
    assert say_why({"drivers": None, "reason": "r"}) == ["r"]
    assert say_why({"drivers": "not json", "reason": None}) == []


def test_what_is_not_measured_is_a_dash_and_never_zero():
    assert "not measured" in money(None)
    assert "not measured" in percent(None)
    assert money(0) == "0"
    assert percent(0.934) == "93.4 %"
