"""The `customer_health.yml` that maps the sample company's files, as users would write it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from sample_company.deliveries import DELIVERIES, Delivery

TEMPLATE = """\
# Flow GmbH, the sample company: which of its files are what.
# Columns that are not named here have the same name in the file.

company:
  name: Flow GmbH
  zone: Europe/Berlin
  currency: EUR
  country: DE
  language: en
  started_on: {started_on}

as_of: latest_data

use:
  core_events:
    - document_created
    - document_shared
    - workflow_completed
    - signature_given
    - report_viewed
  value_events: [workflow_completed, signature_given]
  help_events: [help_viewed]
  excluded_events: [notification_sent]

tiers:
  - name: enterprise
    min_arr: 20000
    service_mode: one_to_one
    contact_plan_days: 30
    hours_per_month: 6
  - name: growth
    min_arr: 6000
    service_mode: one_to_few
    contact_plan_days: 60
    hours_per_month: 2
  - name: scale
    min_arr: 0
    service_mode: one_to_many
    contact_plan_days: 120
    hours_per_month: 0.25

sources:
  product: # web events: a file a quarter, in the last fortnight a file a night
    format: parquet
    location: inbox/product
    entities:
      product_events:
        files: "events-*.parquet"
        delivery: changes
        columns:
          occurred_at: ts
          tenant_id: workspace
          user_id: actor
          event_name: action
          feature: module
          duration_seconds: seconds
          quantity: units

  mobile: # the same from the app, with ids of its own
    format: csv
    location: inbox/mobile
    entities:
      product_events:
        files: "app-events-*.csv.gz"
        delivery: changes
        columns:
          event_id: id
          occurred_at: time
          tenant_id: workspace
          user_id: actor
          event_name: action
          feature: module
          duration_seconds: seconds
          quantity: units

  warning_actions: # the queue of warnings, filled in and dropped back into the inbox
    format: csv
    location: inbox
    entities:
      playbook_runs:
        files: "warning_actions*.csv"
        where: "coalesce(action, '') <> '' or coalesce(snoozed_until, '') <> ''"
        columns:
          outcome: {{sql: "nullif(concat_ws(': ', nullif(action, ''), nullif(note, '')), '')"}}
          skipped_reason:
            sql: "if(action ilike 'skipped', coalesce(nullif(note, ''), 'skipped'), null)"
{sources}"""


def write_configuration(folder: Path, start: date) -> None:
    """Write the file for a company whose story begins on `start`."""
    sources = dict.fromkeys(delivery.source for delivery in DELIVERIES)
    text = TEMPLATE.format(
        started_on=start.replace(year=start.year - 2),
        sources="".join(_source(name) for name in sources),
    )
    (folder / "customer_health.yml").write_text(text, encoding="utf-8")


def _source(name: str) -> str:
    deliveries = [delivery for delivery in DELIVERIES if delivery.source == name]
    head = f"\n  {name}:\n    format: {deliveries[0].format}\n    location: inbox/{name}\n"
    return f"{head}    entities:\n" + "".join(_entity(delivery) for delivery in deliveries)


def _entity(delivery: Delivery) -> str:
    way = "changes" if delivery.way == "changes" else "full"
    lines = [
        f"      {delivery.entity}:",
        f'        files: "{delivery.stem}-*.{delivery.format}"',
        f"        delivery: {way}",
    ]
    columns = {name: own for name, own in delivery.names.items() if name not in delivery.sql}
    if columns or delivery.sql:
        lines.append("        columns:")
        lines += [f"          {name}: {own}" for name, own in columns.items()]
        lines += [f'          {name}: {{sql: "{sql}"}}' for name, sql in delivery.sql.items()]
    return "\n".join(lines) + "\n"
