import datetime as dt
import json
import re
import string
from dataclasses import fields, replace
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pytest

from exports import charts, page_audit, page_sections
from exports.config import Company
from exports.dashboard import embed, hash_script, read_template, render_dashboard, write_dashboard
from exports.page_facts import read_customer_details, read_page_facts, read_query
from exports.page_words import (
    LANGUAGES,
    Words,
    read_catalogue,
    write_day,
    write_money,
    write_percent,
)
from ingest.contracts import ENTITIES
from scoring.config import load_rules
from scoring.judgement import BASELINES
from scoring.warnings import REASONS
from tests.exports.conftest import COMPANY
from tests.exports.private_night import SCORE_TABLES, build_night

OUTCOMES = (
    "lifetime", "not_due", "coterminated", "auto_renewed", "renewed_early", "renewed_on_time",
    "renewed_late", "churned", "open",
)  # fmt: skip
NASTY = "</script><script>alert(1)</script><!-- <b onclick=x> & \"'"


@pytest.fixture(scope="module")
def page(published):
    return published.dashboard.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def facts(published):
    return read_page_facts(published.database)


class Elements(HTMLParser):
    """The elements of a page with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def of(self, *tags):
        return [attributes for tag, attributes in self.found if tag in tags]


def test_the_page_refers_to_nothing_outside_itself(page):
    elements = Elements(page)
    references = ("src", "href", "xlink:href", "data", "action", "srcset")
    found = [attributes.get(name) for _, attributes in elements.found for name in references]
    assert [value for value in found if value and not value.startswith(("data:,", "#"))] == []
    assert elements.of("iframe", "img", "object", "embed") == []
    assert "url(http" not in page
    assert "@import" not in page


def test_its_policy_forbids_the_network_and_every_script_but_its_own(page):
    policy = next(
        attributes["content"]
        for attributes in Elements(page).of("meta")
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert "default-src 'none'" in policy
    assert f"script-src '{hash_script(read_template('page.js'))}'" in policy
    assert [script.get("type") for script in Elements(page).of("script")].count(None) == 1


def test_the_page_is_light(page, facts):
    per_customer = len(page.encode()) / len(facts.customers)
    assert per_customer * 400 < 5_000_000


def test_the_head_says_whose_night_it_is_and_whether_to_trust_it(page):
    assert "<h1>Sample &amp; Sons" in page
    assert "Sunday 2024-06-30" in page.replace(",", "")
    assert "The score helps to find losses 90 days ahead." in page
    assert "Source stale" in page
    assert (
        "In no score tonight: sentiment (weight 10), not connected or applying to nobody;"
        " support (weight 10), measured for nobody; together 20 of 45 in weight."
    ) in page


@pytest.mark.parametrize(("warned", "shown"), [([60], [60]), ([], [90])])
def test_the_report_card_is_that_of_the_horizon_that_warnings_use(warned, shown):
    names = read_query("report_card").partition("select")[2].partition("from")[0].split(",")
    columns = {name.strip() for name in names} - {"horizon_days", "card", "method"}
    with duckdb.connect() as connection:
        connection.execute(f"""
            create table score_report_card as
            select 'customer' as card, 'rules' as method, unnest([30, 60, 90]) as horizon_days,
                'all' as segment, 'all' as population,
                {", ".join(f"null as {name}" for name in columns)};
            create table churn_probabilities as
            select unnest({warned}::int[]) as horizon_days, true as is_for_warnings
        """)
        rows = connection.execute(read_query("report_card")).fetchall()
    assert [row[2] for row in rows] == shown


def test_the_verdict_is_the_first_sentence_below_the_headings(page):
    main = page[page.index("<main>") :]
    text = re.sub(r"<h2.*?</h2>|<[^>]+>", " ", main)
    assert text.split(".")[0].strip() == "The score helps to find losses 90 days ahead"


def test_the_sections_stand_in_the_order_of_the_questions(page):
    order = [attributes["id"] for attributes in Elements(page).of("section") if "id" in attributes]
    assert order == [
        "trust", "figures", "queue", "changes", "use", "north-star", "renewals", "revenue",
        "service", "books", "audit", "customers",
    ]  # fmt: skip


def test_names_cannot_inject_markup(tmp_path, publish):
    files = build_night(tmp_path / "night")
    with duckdb.connect(str(files[0])) as connection:
        connection.execute("update customer_360 set customer_name = $1, csm_name = $1", [NASTY])
        connection.execute("update customer_timeline set summary = $1", [NASTY])
        connection.execute("update rule_audit set detail = $1, rule = $1", [NASTY])
        connection.execute("update csm_books set csm_name = $1", [NASTY])
    page = publish(files, tmp_path / "home").dashboard.read_text(encoding="utf-8")
    elements = Elements(page)
    assert [attributes for _, attributes in elements.found if "onclick" in attributes] == []
    assert [script.get("type") for script in elements.of("script")].count(None) == 1
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_json_in_the_page_cannot_end_its_element_and_reads_back():
    embedded = embed({"name": NASTY, "day": dt.date(2024, 6, 30)})
    assert "<" not in embedded
    assert json.loads(embedded) == {"name": NASTY, "day": "2024-06-30"}


def test_ids_do_not_repeat_and_tables_have_captions_and_scoped_heads(page):
    elements = Elements(page)
    ids = [attributes["id"] for _, attributes in elements.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert len(elements.of("table")) == len(elements.of("caption"))
    assert {attributes.get("scope") for attributes in elements.of("th")} == {
        "col",
        "row",
        "rowgroup",
    }


def test_every_chart_has_a_text_alternative(page):
    charts = [
        attributes for attributes in Elements(page).of("div") if attributes.get("class") == "chart"
    ]
    assert len(charts) == 6
    assert all(chart["role"] == "img" and chart["aria-label"] for chart in charts)


def test_the_page_is_the_same_when_made_again(published, page, tmp_path):
    said = tmp_path / "said.parquet"
    with duckdb.connect() as connection:
        source = published.folder / "crm_writeback.csv"
        connection.execute(f"copy (from read_csv('{source}', all_varchar = true)) to '{said}'")
    again = write_dashboard(tmp_path / "index.html", published.database, COMPANY, said)
    assert again.read_text(encoding="utf-8") == page


def test_a_company_without_subscriptions_or_events_has_a_page_that_says_why(tmp_path, publish):
    files = build_night(tmp_path / "night")
    with duckdb.connect(str(files[0])) as connection:
        for table in (
            "subscription_terms", "renewals", "renewal_cohorts", "mrr_bridge_monthly",
            "retention_monthly", "north_star_weekly", "data_alarms", "usage_mix_daily",
            "usage_transition_matrix", "csm_books", "rule_audit", "onboarding_progress",
            "kpi_daily", "contact_coverage", "health_changes",
        ):  # fmt: skip
            connection.execute(f"delete from main.{table}")
        for table in SCORE_TABLES:
            connection.execute(
                f"create or replace view scores.{table} as"
                f" select * from read_parquet('{tmp_path}/night/{table}.parquet') where false"
            )
        connection.execute("update data_health set delivered = 0 where entity <> 'customers'")
        connection.execute(
            "update customer_360 set status = 'pay_as_you_go', mrr = null, arr = null,"
            " contracted_arr = null, usage_state = 'unmeasured', health_band = null,"
            " health_score = null, lost_contact = null, onboarding_status = null"
        )
    page = publish(files, tmp_path / "home").dashboard.read_text(encoding="utf-8")
    assert "No open warning" in page
    assert "Not measured: product events not connected." in page
    assert "Not measured: orders or subscriptions not connected." in page
    assert "Not measured: ownerships not connected." in page
    assert 'title="not measured"' in page


def without_north_star(facts, component, applicable_count=0, **measured):
    """The page where use is measured so and a component is in no score."""
    row = {"component": component, "weight": 15, "measured_count": 0}
    lacking = replace(
        facts,
        north_star=[],
        use_measured={"has_use": True, "has_core": True, "has_users": True} | measured,
        components=[row | {"applicable_count": applicable_count}],
    )
    return render_dashboard(lacking, {}, COMPANY)


def test_without_core_or_value_events_the_page_says_what_to_configure(facts):
    page = without_north_star(facts, "breadth_and_depth", applicable_count=40, has_core=False)
    assert "breadth and depth (weight 15), because no core or value events are named" in page
    assert "use: value_events (or core_events) in customer_health.yml" in page
    too_young = without_north_star(facts, "breadth_and_depth", applicable_count=40)
    assert "Not one complete week is measured." in too_young


def test_where_events_name_no_user_the_page_says_that_it_lacks_them(facts):
    page = without_north_star(facts, "usage_trend", has_users=False)
    assert "trend of use (weight 15), because no event names its user" in page
    assert "Not measured: it counts users, and no event names its user." in page
    assert "not measured: no event names its user" in page


def test_paying_customers_without_mrr_are_explained_where_both_are_counted(facts):
    totals = facts.totals | {"paying_count": 40, "subscribed_count": 39, "without_mrr_count": 1}
    page = render_dashboard(replace(facts, totals=totals), {}, COMPANY)
    assert "39 customers with MRR; 1 more in grace or paying by use" in page
    assert "Without MRR tonight, and still paying customers: 1 in the grace" in page


def test_the_audit_names_the_rules_it_could_not_look_at_and_what_is_missing():
    connected = {"orders", "order_lines", "products", "ownerships", "employees", "access_log"}
    connected |= {"adjustments", "product_events", "product_prices"}
    assert page_audit.say_unseen(connected, Words("en")) == [
        "Not looked at, because services not connected: Service after expiry, Service changed"
        " without an order, Service on a cancelled order, Service opened by hand, Service other"
        " than bought, Service without an order.",
        "Not looked at, because services, payments not connected: Service without payment.",
    ]
    assert page_audit.say_unseen(connected | {"services", "payments"}, Words("en")) == []
    (first, *_) = page_audit.say_unseen(set(), Words("en"))
    assert "access log, employees not connected: Action beyond the role" in first


def test_every_rule_of_the_audit_says_what_it_needs():
    rules = Path(__file__).parents[2] / "dbt" / "models" / "marts" / "audit" / "rules"
    assert set(page_audit.NEEDS) == {file.stem for file in rules.glob("*.sql")}


def test_early_windows_of_a_few_customers_are_not_drawn():
    rows = [{"customer_count": count} for count in (1, 9, 10, 25, 40)]
    assert [row["customer_count"] for row in charts.choose_windows(rows)] == [10, 25, 40]
    assert charts.choose_windows([]) == []


def test_shares_of_the_usage_mix_add_to_one(facts):
    mix = page_sections.mix_usage(facts.usage_mix)
    assert mix["paying_count"] == 40
    assert abs(sum(row["customer_share"] for row in mix["rows"]) - 1) < 1e-12
    assert mix["trial_count"] == 2


def test_the_queue_is_by_csm_with_most_arr_first_and_what_was_cut_last():
    rows = [
        {"customer_id": "1", "csm": "Ana", "due_arr": 10, "is_within_budget": False},
        {"customer_id": "2", "csm": None, "due_arr": 50, "is_within_budget": None},
        {"customer_id": "3", "csm": "Ana", "due_arr": None, "is_within_budget": True},
    ]
    queue = page_sections.group_calls(
        [row | {"expected_saved_arr": 2, "is_assumed": True, "is_urgent": True} for row in rows]
    )
    groups = [
        (group["csm"], [row["customer_id"] for row in group["rows"]]) for group in queue["groups"]
    ]
    assert groups == [(None, ["2"]), ("Ana", ["3", "1"])]
    # Of the calls of this week: 50 of customer 2, nothing known of 3; what was cut is apart.
    assert (queue["now_count"], queue["due_arr"], queue["saved_arr"]) == (2, 50, 4)
    assert (queue["cut_count"], queue["cut_due_arr"], queue["cut_urgent_count"]) == (1, 10, 1)


def test_a_snoozed_warning_is_counted_apart_from_the_queue(facts):
    first, *others = facts.queue
    rows = [first | {"status": "snoozed"}, *others]
    resting = replace(facts, warnings=rows)
    assert resting.snoozed_count == 1
    assert resting.queue == others


def test_a_skipped_call_says_who_skipped_it_when_and_why(facts, page, published):
    skipped = next(row for row in facts.queue if row["skipped_on"])
    said = page_sections.say_skipped(skipped, Words("en"))
    assert said == "Skipped by Bo Lind on 2024-06-30: they travel"
    assert said in page
    without_note = skipped | {"skipped_reason": "skipped", "skipped_by": None}
    assert page_sections.say_skipped(without_note, Words("en")) == "Skipped by No CSM on 2024-06-30"
    details = read_customer_details(published.database, [])
    (warning,) = details[skipped["customer_id"]]["warnings"]
    assert warning[-4:-1] == [dt.date(2024, 6, 30), "Bo Lind", "they travel"]


def test_a_moment_is_of_the_day_it_was_in_the_companys_zone(published):
    # The newest customer came on 30 June at noon in Greenwich, when 1 July began in Auckland.
    days = {
        zone: {
            write_day(row["latest_event_at"])
            for row in read_page_facts(published.database, zone=zone).sources
            if row["entity"] == "customers"
        }
        for zone in ("UTC", "Pacific/Auckland")
    }
    assert days == {"UTC": {"2024-06-30"}, "Pacific/Auckland": {"2024-07-01"}}


def test_who_cannot_wait_is_counted_and_says_when_it_renews(facts, page):
    now = [row for row in facts.queue if row["is_within_budget"]]
    urgent = [row for row in now if row["is_urgent"]]
    assert 0 < len(urgent) < len(now)
    assert f"{len(urgent)} are due or overdue for renewal before next week" in page
    text = re.sub(r"<[^>]+>", "", page)
    assert all(f"renews {row['next_renewal_date']}" in text for row in urgent)


def test_a_customer_with_two_warnings_is_at_stake_once():
    row = {"customer_id": "1", "csm": "Ana", "due_arr": 10, "is_within_budget": True}
    row |= {"expected_saved_arr": 2, "is_assumed": False, "is_urgent": False}
    assert page_sections.group_calls([row, row])["due_arr"] == 10


def test_the_sentences_of_the_drivers_say_why_else_the_reason_of_the_score():
    drivers = '[{"code": "no_owner", "sentence": "Nobody owns it."}]'

    def say_why(drivers, reason):
        row = {"drivers": drivers, "reason": reason, "reason_code": "no_owner"}
        return page_sections.say_why(row, Words("en"))

    assert say_why(drivers, "r") == ["Nobody owns it."]
    assert say_why(None, "r") == ["r"]
    assert say_why("not json", None) == []


def test_a_sentence_that_repeats_its_reason_is_said_once():
    drivers = json.dumps([{"sentence": "The CSM sees a risk."}, {"sentence": "NPS 4."}])
    row = {"drivers": drivers, "reason": None, "reason_code": "csm_sees_risk"}
    assert page_sections.say_why(row, Words("en")) == ["NPS 4."]


def test_every_paying_customer_whose_onboarding_failed_is_listed_with_or_without_an_open_step(
    facts, page
):
    """A company whose steps are all done and that never got value failed, too."""
    failed = {row["onboarding_status"]: row["customer_count"] for row in facts.onboarding}
    listed = {row["customer_id"]: row["step"] for row in facts.onboarding_stuck}
    assert len(listed) == failed["stuck"] + failed.get("failed", 0)
    assert set(listed.values()) == {"set_up", None}
    assert "none overdue" in page


def test_what_changed_is_told_against_what_was_said_last_night(published, tmp_path):
    said = tmp_path / "said.parquet"
    with duckdb.connect(str(published.database), read_only=True) as connection:
        connection.execute(
            f"""copy (
                select customer_id, health_score, health_score + 12.5 as previous_health_score,
                    health_band, 'unknown' as previous_health_band
                from health_scores where customer_id = 'c001'
                union all select 'c002', 50.2, 50.0, 'green', 'green'
            ) to '{said}'"""
        )
    facts = read_page_facts(published.database, said)
    assert facts.said["is_first_night"] is False
    changed = {row["customer_id"]: row for row in facts.changes}
    assert changed["c001"]["change"] == pytest.approx(-12.5)
    assert changed["c001"]["sentences"] == ["Usage level -12.5 points: 3 users instead of 9."]
    counts = page_sections.count_changes([changed["c001"]])
    assert (counts["down_count"], counts["up_count"], counts["band_count"]) == (1, 0, 1)
    assert changed["c002"]["change"] == pytest.approx(0.2)  # listed for its state, not its score


def test_a_first_night_says_that_there_is_nothing_to_compare_with(page):
    assert "This is the first night: there is nothing to compare it with." in page


def test_the_matrix_marks_what_surprises_and_leaves_out_who_is_no_customer(facts):
    matrix = page_sections.lay_out_matrix(facts.transition_matrix)
    assert matrix["states"] == ["high", "low", "dormant"]
    assert [(row["state"], row["n"]) for row in matrix["rows"]] == [("high", 9), ("low", 4)]
    assert [cell and cell["mark"] for cell in matrix["rows"][0]["cells"]] == ["", None, "▲"]


def test_no_link_to_renewal_is_shown_when_the_ranges_overlap():
    def group(name, low, high):
        return {
            "north_star_group": name,
            "n": 9,
            "renewal_rate": 0.7,
            "rate_low": low,
            "rate_high": high,
        }

    apart = [group("reached", 0.7, 0.9), group("not_reached", 0.2, 0.6)]
    overlapping = [group("reached", 0.5, 0.9), group("not_reached", 0.2, 0.6)]
    assert page_sections.compare_renewal(apart)["overlaps"] is False
    assert page_sections.compare_renewal(overlapping)["overlaps"] is True
    assert page_sections.compare_renewal(apart[:1]) is None


def test_what_is_not_measured_is_a_dash_and_never_zero():
    assert write_money(None) is None
    assert write_percent(None) is None
    assert write_money(0) == "0"
    assert write_percent(0.934, 1) == "93.4\u00a0%"
    assert "not measured" in Words("en").not_measured()


def test_a_small_company_has_the_details_of_every_customer(published):
    details = read_customer_details(published.database, [])
    assert len(details) == 40
    assert len(details["c001"]["timeline"]) == 15
    assert details["c001"]["changes"] == [
        ["usage_level", -12.5, "Usage level -12.5 points: 3 users instead of 9."]
    ]


def test_a_large_company_has_the_details_of_those_that_matter(published, monkeypatch):
    monkeypatch.setattr("exports.page_facts.EVERY_CUSTOMER_UP_TO", 10)
    with duckdb.connect(str(published.database), read_only=True) as connection:
        matters = connection.execute(
            "select customer_id from customer_360"
            " where next_renewal_date <= date '2024-06-30' + 180"
            " union select customer_id from churn_warnings"
        ).fetchall()
    calm = {f"c{number:03d}" for number in range(1, 41)} - {row[0] for row in matters}
    changed = min(calm)
    assert set(read_customer_details(published.database, [changed])) == {
        *(row[0] for row in matters),
        changed,
    }


def test_every_language_has_the_same_words_with_the_same_figures():
    def figures(text):
        return {name for _, name, _, _ in string.Formatter().parse(str(text)) if name}

    english = read_catalogue("en")
    for language in LANGUAGES:
        other = read_catalogue(language)
        assert {section: set(words) for section, words in other.items()} == {
            section: set(words) for section, words in english.items()
        }
        for section, words in english.items():
            for key, text in words.items():
                assert figures(other[section][key]) == figures(text), f"{language} {section}.{key}"


def test_the_page_speaks_chinese_to_a_chinese_company(published, facts):
    company = Company("样例", "CNY", "Asia/Shanghai", "zh")
    page = render_dashboard(facts, read_customer_details(published.database, []), company)
    assert '<html lang="zh">' in page
    assert "今日队列" in page
    assert "Today's queue" not in page


SAID_BY_SCORING = ("reason", "verdict", "drivers")
LATIN = {
    "ARR", "MRR", "NRR", "GRR", "CRR", "NPS", "CSAT", "AUC", "CSV", "Parquet", "JavaScript",
    "churn_warnings.csv", "crm_writeback.csv", "rule_audit.csv", "data_alarms.csv",
    "customer_health.yml", "use", "value_events", "core_events", "customer-health", "explain",
    "Asia", "Shanghai", "CNY", "Esc",
}  # fmt: skip


class Texts(HTMLParser):
    """The texts a reader sees or hears."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.said: list[str] = []
        self.within = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.within = tag
        named = dict(attrs)
        self.said += [named[name] for name in ("aria-label", "title", "placeholder", "data-name")
                      if named.get(name)]  # fmt: skip

    def handle_data(self, data):
        if self.within not in ("script", "style"):
            self.said.append(data)


def latin_words(text: str) -> set[str]:
    return set(re.findall(r"[A-Za-z_][A-Za-z_.-]*[A-Za-z]", text))


def test_no_english_is_left_on_a_chinese_page(facts):
    """Scoring says its sentences in the company's language; names, ids and codes are data."""
    catalogue = read_catalogue("zh")
    data: set[str] = set()

    def in_chinese(row):
        row = row | {name: "中文。" for name in SAID_BY_SCORING if isinstance(row.get(name), str)}
        if row.get("sentences"):
            row["sentences"] = ["中文。"]
        for name, value in row.items():
            if not isinstance(value, str) or name == "detail":
                continue
            if value not in catalogue["names"] and value not in catalogue["reasons"]:
                data.update(latin_words(value) | latin_words(value.replace("_", " ")))
        return row

    told = {}
    for field in fields(facts):
        value = getattr(facts, field.name)
        is_list = isinstance(value, list)
        told[field.name] = list(map(in_chinese, value)) if is_list else in_chinese(value)
    company = Company("样例", "CNY", "Asia/Shanghai", "zh")
    page = render_dashboard(replace(facts, **told), {}, company)
    said = set().union(*map(latin_words, Texts(page).said))
    assert said - data - LATIN == set()


def test_the_chinese_words_hold_no_english():
    catalogue = read_catalogue("zh")
    said = set()
    for section in catalogue.values():
        for text in section.values():
            said |= latin_words(re.sub(r"\{[^}]*\}", "", str(text)))
    assert said - LATIN == set()


def test_every_value_that_the_page_names_has_a_chinese_word():
    catalogue = read_catalogue("zh")
    rules = load_rules()
    named = set(ENTITIES) | set(rules.health.components) | set(page_audit.NEEDS)
    named |= {rule.playbook for rule in rules.warnings.reasons.values()}
    named |= {*page_sections.STATES, *page_sections.GROUPS, *charts.MOVEMENTS}
    named |= set(BASELINES) | set(OUTCOMES)
    assert named - set(catalogue["names"]) == set()
    assert set(REASONS) == set(catalogue["reasons"])


def test_what_was_lost_has_the_minus_sign_of_the_charts():
    assert write_money(-25353.4) == "−25,353"


def test_a_score_is_rounded_once(facts):
    """78.46 was 78 in the queue and, by way of 78.5, 79 in the list of all customers."""
    scored = [facts.customers[0] | {"health_score": score} for score in (78.46, 62.5)]
    data = page_sections.list_page_data(replace(facts, customers=scored), COMPANY, Words("en"))
    place = data["columns"].index("health_score")
    assert [row[place] for row in data["customers"]] == [78, 62]


def test_counts_choose_their_word():
    words = Words("en")
    assert words.say("trust.alarms", n=1) == "1 alarm"
    assert words.say("trust.alarms", n=1200) == "1,200 alarms"
    assert Words("zh").say("trust.alarms", n=2) == "2 条告警"
    assert words.say("trust.not_delivered", entities="<b>") == "Not connected: &lt;b&gt;."
