"""The input contract for people: the page docs/inputs.md and the `sources:` template of `init`."""

from __future__ import annotations

from collections.abc import Sequence

from ingest.config import EntityMapping, Limits, SourceConfig
from ingest.contracts import ENTITIES, KNOWLEDGE_COLUMNS, Column, Entity

SYSTEMS = {
    "crm": "CRM",
    "orders": "Orders",
    "logins": "Product logins",
    "finance": "Finance",
    "product": "Product",
}

INTRODUCTION = """\
# Inputs

What a company may deliver: one entity a table, mapped in `customer_health.yml`. Needed are
`orders` with `order_lines`, or `subscriptions`; everything else is optional, and what is missing
is not measured, never 0. A required column is marked with *; a column that systems overwrite in
place is marked mutable. This page is generated from `ingest/contracts.py`.

## How files are read

- A source column of the same name is taken as it is; otherwise `columns:` maps our name to the
  source's, to `{sql: expression}` or to `{value: constant}`. Expressions see the columns of CSV
  and JSONL as text (nested JSON as JSON text), those of Parquet with their own types.
- Blank text is empty. Whole numbers may be written 12 or 12.0. Booleans are true, false, yes, no,
  their first letters, 1 and 0. Dates are YYYY-MM-DD, timestamps ISO 8601, else by `date_format`,
  `timestamp_format`. A timestamp may be a day alone, written as the source's dates are: it is the
  start of that day. A timestamp without offset is read in the source's `zone`; one with an offset,
  or an epoch, that is to be a date becomes the day in the company's zone.
- A source column that only some files have, as when a system began to export it, is named in
  `may_lack:` beside `files:` and is empty in the others.
- A name that a CSV header has twice is read as `Amount (1)`, `Amount (2)`.
- Numbers have a decimal point and no thousands separators, unless `decimal_separator` is set.
- Fields of CSV files are separated by commas, unless `delimiter` says otherwise; where the header
  looks separated by another mark, the refusal names it.
- Where one column differs from the rest of its source, compute it, for example
  `{sql: "to_timestamp(ms::bigint / 1000)"}`, `{sql: "amount_cents::decimal / 100"}`,
  `{sql: "plan->>'product'"}`, `{sql: '"Account Name"'}`. An expression sees the text as it stands:
  `decimal_separator`, `date_format` and `timestamp_format` do not reach into `sql:`; text that it
  gives is read by them, so `{sql: "replace(amount, ' €', '')"}` is enough for 1.234,50 €. A value
  it cannot cast refuses the whole file; `try_cast(… as decimal)` gives null instead. Where no
  `decimal_separator` is set, 1.234,50 is
  `{sql: "replace(replace(amount, '.', ''), ',', '.')::decimal"}`. A name with spaces or brackets
  stands in double quotes; a struct of Parquet is read as `traits.plan`. The UTC day of an epoch,
  where billing counts days so, is `{sql: "make_timestamp(seconds::bigint * 1000000)"}`; a day of a
  spreadsheet `{sql: "date '1899-12-30' + serial::int"}`.
- A file is complete when its size stands still and its last line is ended, or when it is as its
  manifest says: `<file>.manifest.json` with any of rows, bytes, sha256, delivered_on.
- A text file whose last line is not ended counts as cut, unless it has a manifest or the source
  says `needs_final_newline: false`. Blank lines are no rows.
- The day of delivery is the manifest's, else the one in the file's or folder's name.
- Refused whole, with the reason in the ledger and an alarm: web pages, wrong encoding, NUL bytes,
  cut gzip or Parquet, a header that lacks a mapped column, no rows (unless `allow_empty`), more
  bad rows than `max_bad_share`, a full delivery that lacks more known keys than
  `max_deleted_share`, links, files too large or that unpack to too much.
- A row goes to quarantine, with file, line, column and reason, when a required value is empty, a
  value is not of its type or not allowed, a moment lies in the future or before
  `company.started_on`, an end lies before its start, a currency has no rate, or the line has
  another number of fields than the header. The good rows of the file load.
- A column of the name `updated_at` or `recorded_at` tells since when a row is known. Where one row
  holds a whole history, as exports of billing systems do, past nights and closed months would not
  know it: say `updated_at: {sql: "null"}`.
- The same key with other values in one file, and no `updated_at` to tell which is newer: one is
  kept, whichever order the lines are in, the others are quarantined.
- delivered = accepted + quarantined + duplicate, for every file. Rows that `where:` leaves out
  were not delivered to the entity; they are counted as filtered.

## What many systems write otherwise

- **An end that is empty while a subscription runs** is its real end. Map it to `term_end` and say
  `is_auto_renew: {value: false}`, even where a column says that it renews: `is_auto_renew` is for
  ends by contract, after which a line goes on in periods of its own length until it is cancelled,
  refused, replaced by link or followed, where a period ends, by a line of the same product. Nothing
  is due while there is no end.
- **The period that is paid** (Stripe and its like): `term_start: start_date`,
  `term_end: current_period_end`, `cancelled_at: ended_at`, `mrr` from price, quantity and interval,
  such as `{sql: "(plan->>'amount')::decimal / 100 * quantity::int / if(plan->>'interval' = 'year',
  12, 1)"}`, `is_trial: {sql: "status = 'trialing'"}`, epochs by `date_format: epoch_seconds` and
  `timestamp_format: epoch_seconds`, and `where: "status not like 'incomplete%'"`. An end that is
  set for later (Chargebee's `non_renewing`) is `non_renewal_noted_at`, not yet `cancelled_at`,
  which may not lie in the future; a pause that lasts is `cancelled_at`. Payments are of orders: a
  bill of a subscription is none.
- **Ids of another system**: a row of `customer_ids` for each, `source` being any word. Events that
  name a subscription or a workspace: that file is also `tenants`, with `tenant_id`.
  Events that name only their user: the list of users is `tenants`, with the user as `tenant_id`
  there and in the events. Contracts that name a customer by its name: `source_id` is the name.
- **Lines that are none**, such as a total under a list or events of who is not logged in, are left
  out: `where: "userId <> ''"`.
- **Data of the past**: `as_of: latest_data` computes the night of the latest day that has data.
- **A ledger with a row per line of an invoice** is `orders` and `order_lines` from one file. The
  key of a line, where it has none, is
  `{sql: "invoice || '/' || row_number() over (partition by invoice order by item, quantity)"}`, its
  product's kind is `one_time`. Where no price of a unit stands there, it is
  `{sql: "amount::decimal / nullif(quantity::int, 0)"}`. Returns are negative, quantity too.
  Repeats of an order's values count as duplicates. Customers are known from their orders; where
  each row tells of its customer, too, the file is also `customers`, with `attributes: []`, or only
  those columns in which all rows of a customer agree.
- **One row a customer with its tenure**: `term_start` is the day of the table less the tenure, such
  as `{sql: "date '2020-01-01' - to_months(tenure::int)"}`, `term_end` that day for who has left.
- **Events that name no user**: days of use and silence are told, users, levels of use and the north
  star are not measured, and most of a health score's weight with them.
"""


def inputs_page() -> str:
    """The Markdown page of all entities."""
    parts = [INTRODUCTION]
    for system, title in SYSTEMS.items():
        parts.append(f"## {title}\n")
        parts += [_section(entity) for entity in ENTITIES.values() if entity.system == system]
    parts.append("## Columns any entity may map\n")
    parts.append(_table(KNOWLEDGE_COLUMNS))
    return "\n".join(parts).rstrip() + "\n"


def sources_template() -> str:
    """The commented `sources:` section of a new company: every option with its default."""
    limits = "\n".join(
        f"    #   {option}: {field.default}    # {field.description}"
        for option, field in Limits.model_fields.items()
    )
    says, of_entity = SourceConfig.model_fields, EntityMapping.model_fields
    return f"""\
# Where the data come from. One block a source: a folder of files in one format, and what is in it.
# docs/inputs.md lists every entity and column.
sources:
  crm:
    format: csv                 # {says["format"].description}
    location: inbox/crm         # {says["location"].description}
    # zone: UTC                 # {says["zone"].description}
    # delimiter: ","            # {says["delimiter"].description}
    # quote: '"'                # {says["quote"].description}
    # encoding: utf-8           # {says["encoding"].description}
    # header: [a, b]            # {says["header"].description}
    # null_values: ["NULL"]     # {says["null_values"].description}
    # date_format: "%d.%m.%Y"   # {says["date_format"].description}
    # timestamp_format: epoch_seconds   # {says["timestamp_format"].description}
    # decimal_separator: ","    # {says["decimal_separator"].description}
    # term_end_is_inclusive: false   # {says["term_end_is_inclusive"].description}
    # needs_final_newline: true     # {says["needs_final_newline"].description}
    # delivered_on_pattern: '_(\\d{{8}})\\.'   # {says["delivered_on_pattern"].description}
    # storage_options: {{}}       # {says["storage_options"].description}
    # limits:
{limits}
    entities:
      customers:
        files: "customers*.csv" # {of_entity["files"].description}
        delivery: full          # {of_entity["delivery"].description}
        columns:                # {of_entity["columns"].description}
          customer_id: account_id
          name: account_name
          # segment: {{sql: "case when employees::int > 500 then 'large' else 'small' end"}}
        # attributes: [Industry]   # {of_entity["attributes"].description}
        # may_lack: [added_later]   # {of_entity["may_lack"].description}
        # where: "status <> 'test'"   # {of_entity["where"].description}
        # blocking: false       # {of_entity["blocking"].description}
        # allow_empty: false    # {of_entity["allow_empty"].description}
        # keep_raw: true        # {of_entity["keep_raw"].description}
  orders:
    format: csv
    location: inbox/orders
    entities:
      subscriptions:
        files: "subscriptions*.csv"
        columns: {{}}             # columns that have our names already need no mapping
  logins:
    format: parquet
    location: inbox/logins
    entities:
      product_events:
        files: "events*.parquet"
        columns:
          occurred_at: event_time
          event_name: event_type
  warning_actions:              # the queue of warnings, filled in and dropped back into the inbox
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
"""


def _section(entity: Entity) -> str:
    lines = [f"### {entity.name}\n", f"{entity.description}\n"]
    if entity.key:
        lines.append(f"Key: {', '.join(entity.key)}.\n")
    else:
        lines.append("Key: event_id where there is one, else the row and how often it stands.\n")
    for group in entity.any_of:
        lines.append(f"Needs one of: {', '.join(group)}.\n")
    if entity.keeps_unknown_columns:
        lines.append(
            "Columns that are not mapped are kept as attributes, or what `attributes:` names.\n"
        )
    lines.append(_table(entity.columns))
    return "\n".join(lines)


def _table(columns: Sequence[Column]) -> str:
    lines = ["| column | type | meaning |", "|---|---|---|"]
    for column in columns:
        marked = column.name + ("*" if column.is_required else "")
        meaning = column.description
        if column.allowed:
            meaning += f" One of: {', '.join(column.allowed)}."
        if column.is_mutable:
            meaning += " Mutable."
        lines.append(f"| {marked} | {column.type} | {meaning} |")
    return "\n".join(lines) + "\n"
