"""The typed contract of every entity a company may deliver: the one place of names and types.

From here come the checks of the front door, the schema of landing, the `raw` relations, the
documentation page of the inputs and the template that `customer-health init` writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

EVENTS = "product_events"

Type = Literal["string", "integer", "decimal", "boolean", "date", "timestamp"]

SQL_TYPES: dict[Type, str] = {
    "string": "VARCHAR",
    "integer": "BIGINT",
    "decimal": "DECIMAL(20,6)",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMPTZ",
}


@dataclass(frozen=True)
class Column:
    """One column: its canonical name, type and meaning.

    `is_mutable`: source systems overwrite it in place, so a first load knows no history of it.
    `is_currency`: must be a currency code the company knows (its own, or one with a rate).
    `is_never_negative`, `is_positive`: bounds of a number.
    """

    name: str
    type: Type
    description: str
    is_required: bool = False
    is_mutable: bool = False
    is_currency: bool = False
    is_never_negative: bool = False
    is_positive: bool = False
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entity:
    """One entity: `key` columns tell rows apart, `parents` says which key must exist where.

    `business_time` is the column that dates a row in an entity's first load (a back-fill);
    `booked_time`, where filled, comes before it.
    `any_of` are groups of columns of which at least one must be filled.
    `ordered` are pairs (start, end): the end may not lie before the start.
    `keeps_unknown_columns`: unmapped columns are kept as attributes instead of reported only.
    """

    name: str
    system: Literal["crm", "orders", "logins", "finance", "product"]
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    business_time: str | None = None
    booked_time: str | None = None
    parents: tuple[tuple[str, str], ...] = ()
    any_of: tuple[tuple[str, ...], ...] = ()
    ordered: tuple[tuple[str, str], ...] = ()
    keeps_unknown_columns: bool = False

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def required_columns(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.is_required)

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


def _column(type_: Type, name: str, description: str, flags: str, allowed: str) -> Column:
    return Column(
        name=name.removesuffix("*"),
        type=type_,
        description=description,
        is_required=name.endswith("*"),
        is_mutable="mutable" in flags,
        is_currency="currency" in flags,
        is_never_negative="never_negative" in flags,
        is_positive="positive" in flags,
        allowed=tuple(allowed.split()),
    )


def text(name: str, description: str, flags: str = "", allowed: str = "") -> Column:
    """A text column; `*` at the end of the name makes it required, here and below."""
    return _column("string", name, description, flags, allowed)


def whole(name: str, description: str, flags: str = "") -> Column:
    return _column("integer", name, description, flags, "")


def number(name: str, description: str, flags: str = "") -> Column:
    return _column("decimal", name, description, flags, "")


def flag(name: str, description: str, flags: str = "") -> Column:
    return _column("boolean", name, description, flags, "")


def day(name: str, description: str, flags: str = "") -> Column:
    return _column("date", name, description, flags, "")


def moment(name: str, description: str, flags: str = "") -> Column:
    return _column("timestamp", name, description, flags, "")


CUSTOMER = text("customer_id*", "The customer, by the CRM's own id.")
TO_CUSTOMER = (("customer_id", "customers"),)

CRM = (
    Entity(
        "customers",
        "crm",
        "Companies that buy, have bought or may buy.",
        (
            CUSTOMER,
            text("name", "Name as people say it."),
            moment("created_at", "When the CRM first had the customer."),
            text("industry", "Industry.", "mutable"),
            text("region", "Sales region.", "mutable"),
            text("country", "Country, ISO 3166 code.", "mutable"),
            whole("employee_count", "People the customer employs.", "mutable"),
            text("segment", "Segment that thresholds and weights may differ by.", "mutable"),
            text("parent_customer_id", "The group this customer belongs to.", "mutable"),
            text("merged_into_customer_id", "The record this one was merged into.", "mutable"),
            text("legal_id", "Register or tax number; finds one company under two ids."),
            text("domain", "Mail or web domain; finds one company under two ids."),
            number("fit_pct", "How much of the need the product meets today, 0 to 100.", "mutable"),
            number("fit_with_roadmap_pct", "The same with what is promised.", "mutable"),
            flag("is_business_closed", "The customer went out of business.", "mutable"),
            flag("is_reference", "The customer has agreed to be a reference.", "mutable"),
            text("goal", "What the customer wants to reach.", "mutable"),
            text("goal_status", "How far the customer is with it.", "mutable"),
            day("goal_verified_on", "When both sides last confirmed it.", "mutable"),
        ),
        key=("customer_id",),
        business_time="created_at",
        keeps_unknown_columns=True,
    ),
    Entity(
        "customer_ids",
        "crm",
        "Which id of another system is which customer.",
        (
            text("source*", "System that uses the id."),
            text("source_id*", "The id in that system."),
            CUSTOMER,
        ),
        key=("source", "source_id"),
        parents=TO_CUSTOMER,
    ),
    Entity(
        "contacts",
        "crm",
        "People at the customer.",
        (
            text("contact_id*", "The contact."),
            CUSTOMER,
            text("name", "Name."),
            text("email", "Mail address."),
            text("role", "Role at the customer.", "mutable"),
            flag("is_primary", "First person to call.", "mutable"),
            flag("is_champion", "Speaks for us inside the customer.", "mutable"),
            day("left_on", "When the person left the customer."),
        ),
        key=("contact_id",),
        parents=TO_CUSTOMER,
    ),
    Entity(
        "employees",
        "crm",
        "Our own people.",
        (
            text("employee_id*", "The employee."),
            text("name*", "Name."),
            text("email", "Mail address."),
            text("role", "Role, such as csm or sales.", "mutable"),
            text("team", "Team.", "mutable"),
            day("started_on", "First day of work."),
            day("left_on", "Day the person left."),
            number("weekly_hours", "Hours a week for customers.", "mutable"),
            day("certified_on", "When trained on the product."),
        ),
        key=("employee_id",),
        business_time="started_on",
    ),
    Entity(
        "ownerships",
        "crm",
        "Who of ours is responsible for a customer, in which role, from when to when.",
        (
            CUSTOMER,
            text("role*", "Role, such as csm or sales."),
            day("valid_from*", "First day."),
            text("employee_id*", "The employee."),
            day("valid_to", "Day after the last; empty while it lasts."),
        ),
        key=("customer_id", "role", "valid_from"),
        business_time="valid_from",
        parents=(*TO_CUSTOMER, ("employee_id", "employees")),
        ordered=(("valid_from", "valid_to"),),
    ),
    Entity(
        "interactions",
        "crm",
        "Visits, calls, trainings, campaigns: one row each.",
        (
            text("interaction_id*", "The interaction."),
            CUSTOMER,
            moment("occurred_at*", "When it took place."),
            moment("recorded_at", "When it was written down: from then on it was known."),
            text("employee_id", "Who of ours."),
            text("contact_id", "Who of theirs."),
            text("direction", "Who began.", allowed="outbound inbound"),
            text("mode", "How it came about.", allowed="proactive reactive one_to_many"),
            text("channel", "Phone, mail, visit, …"),
            text("kind", "check_in, training, handover, business_review, renewal_talk, …"),
            text("summary", "What was said."),
            text("attachment_uri", "Where the notes are."),
        ),
        key=("interaction_id",),
        business_time="occurred_at",
        parents=TO_CUSTOMER,
    ),
    Entity(
        "messages",
        "crm",
        "Single messages of support or chat.",
        (
            text("message_id*", "The message."),
            CUSTOMER,
            moment("sent_at*", "When it was sent."),
            flag("is_from_customer*", "Written by the customer."),
            text("employee_id", "Who of ours wrote it."),
            text("channel", "Chat, mail, forum, …"),
        ),
        key=("message_id",),
        business_time="sent_at",
        parents=TO_CUSTOMER,
    ),
    Entity(
        "csm_assessments",
        "crm",
        "What the CSM thinks of the customer.",
        (
            CUSTOMER,
            moment("assessed_at*", "When."),
            text("employee_id", "Who."),
            text("view*", "The view.", allowed="red yellow green"),
            text("note", "Why."),
        ),
        key=("customer_id", "assessed_at"),
        business_time="assessed_at",
        parents=TO_CUSTOMER,
    ),
    Entity(
        "onboarding_steps",
        "crm",
        "Steps of bringing a customer into use, per round.",
        (
            CUSTOMER,
            whole("round_no*", "1 for the first onboarding, 2 for the next, …"),
            text("step*", "Name of the step."),
            text("order_id", "Order that started the round."),
            whole("sequence", "Place of the step in the plan."),
            number("target_days", "Days allowed from the start of the round."),
            day("due_on", "Day it should be done."),
            moment("started_at", "When work on it began."),
            moment("done_at", "When it was done."),
            moment("accepted_at", "When the customer accepted it."),
            text("owner_id", "Who of ours.", "mutable"),
        ),
        key=("customer_id", "round_no", "step"),
        business_time="started_at",
        parents=TO_CUSTOMER,
    ),
    Entity(
        "tickets",
        "crm",
        "Requests for help.",
        (
            text("ticket_id*", "The ticket."),
            CUSTOMER,
            moment("opened_at*", "When it was opened."),
            text("kind", "What kind.", allowed="implementation request issue"),
            text("priority", "Priority.", "mutable"),
            moment("first_response_at", "When we first answered."),
            moment("resolved_at", "When it was solved.", "mutable"),
            whole("reopened_count", "How often it came back.", "mutable"),
            number("satisfaction_score", "The customer's mark, 1 to 5.", "mutable"),
            text("responder_id", "Who of ours answers.", "mutable"),
        ),
        key=("ticket_id",),
        business_time="opened_at",
        parents=TO_CUSTOMER,
    ),
    Entity(
        "surveys",
        "crm",
        "Questions sent to customers, and answers.",
        (
            text("survey_id*", "One question to one person."),
            CUSTOMER,
            text("kind*", "Which question.", allowed="nps csat ces"),
            moment("sent_at", "When it was sent."),
            moment("responded_at", "When it was answered."),
            number("score", "The answer: nps 0 to 10, csat 1 to 5, ces 1 to 7."),
        ),
        key=("survey_id",),
        business_time="sent_at",
        parents=TO_CUSTOMER,
    ),
    Entity(
        "feature_requests",
        "crm",
        "What customers ask for.",
        (
            text("request_id*", "The request."),
            CUSTOMER,
            text("feature", "The feature."),
            moment("requested_at", "When it was asked for."),
            moment("shipped_at", "When it was delivered."),
            flag("is_promised_at_sale", "Sales promised it."),
        ),
        key=("request_id",),
        business_time="requested_at",
        parents=TO_CUSTOMER,
    ),
    Entity(
        "playbook_runs",
        "crm",
        "What was done about a warning, or not.",
        (
            text("playbook_run_id*", "One run of one playbook."),
            CUSTOMER,
            text("playbook*", "Which playbook."),
            text("kind", "risk or upsell."),
            text("trigger", "What started it."),
            text("warning_id", "The warning it answers."),
            text("owner_id", "Who of ours.", "mutable"),
            day("due_on", "Day it should be done."),
            moment("started_at", "When it began."),
            moment("done_at", "When it was done."),
            text("outcome", "How it ended.", "mutable"),
            text("skipped_reason", "Why it was not done.", "mutable"),
            day("snoozed_until", "Quiet until this day.", "mutable"),
        ),
        key=("playbook_run_id",),
        business_time="started_at",
        parents=TO_CUSTOMER,
    ),
    Entity(
        "churn_reasons",
        "crm",
        "Why a customer left, as noted.",
        (
            CUSTOMER,
            moment("noted_at*", "When it was noted."),
            text("reason*", "The reason."),
            text("note", "In words."),
        ),
        key=("customer_id", "noted_at"),
        business_time="noted_at",
        parents=TO_CUSTOMER,
    ),
    Entity(
        "leads",
        "crm",
        "First signs of interest.",
        (
            text("lead_id*", "The lead."),
            moment("created_at*", "When it came in."),
            text("source", "Where it came from."),
            text("owner_id", "Who of ours.", "mutable"),
            text("converted_customer_id", "The customer it became."),
            moment("converted_at", "When."),
            text("status", "Status.", "mutable"),
        ),
        key=("lead_id",),
        business_time="created_at",
    ),
    Entity(
        "opportunities",
        "crm",
        "Possible sales.",
        (
            text("opportunity_id*", "The opportunity."),
            text("customer_id", "The customer."),
            moment("created_at*", "When it was opened."),
            text("stage*", "Stage.", "mutable"),
            number("amount", "Expected amount.", "mutable"),
            text("currency", "Its currency.", "currency"),
            text("owner_id", "Who of ours.", "mutable"),
            moment("closed_at", "When it was decided."),
            flag("is_won", "Decided for us.", "mutable"),
            text("lost_reason", "Why not.", "mutable"),
            text("forecast_category", "How sure sales is.", "mutable"),
            text("order_id", "The order it led to.", "mutable"),
        ),
        key=("opportunity_id",),
        business_time="created_at",
        parents=TO_CUSTOMER,
    ),
    Entity(
        "quotes",
        "crm",
        "Offers made.",
        (
            text("quote_id*", "The quote."),
            text("opportunity_id*", "The opportunity it belongs to."),
            moment("created_at*", "When it was made."),
            number("amount", "Amount offered."),
            text("currency", "Its currency.", "currency"),
            day("valid_until", "Last day it holds."),
        ),
        key=("quote_id",),
        business_time="created_at",
        parents=(("opportunity_id", "opportunities"),),
    ),
)

ORDERS = (
    Entity(
        "products",
        "orders",
        "What is sold.",
        (
            text("product_id*", "The product."),
            text("name*", "Name."),
            text(
                "kind*",
                "What kind.",
                allowed="version addon_bound addon_independent one_time usage",
            ),
            text("unit", "What a quantity of it counts, such as seat."),
            text("status", "May it be sold?", "mutable", allowed="enabled closed"),
            day("closed_on", "Last day of sale."),
        ),
        key=("product_id",),
    ),
    Entity(
        "product_prices",
        "orders",
        "List prices over time.",
        (
            text("product_id*", "The product."),
            day("valid_from*", "First day of the price."),
            day("valid_to", "Day after its last."),
            number("price*", "Price of one unit."),
            text("currency*", "Its currency.", "currency"),
        ),
        key=("product_id", "valid_from"),
        business_time="valid_from",
        parents=(("product_id", "products"),),
        ordered=(("valid_from", "valid_to"),),
    ),
    Entity(
        "feature_entitlements",
        "orders",
        "Which features a product includes, from when to when.",
        (
            text("product_id*", "The product."),
            text("feature*", "The feature."),
            day("valid_from*", "First day."),
            day("valid_to", "Day after the last."),
        ),
        key=("product_id", "feature", "valid_from"),
        business_time="valid_from",
        parents=(("product_id", "products"),),
        ordered=(("valid_from", "valid_to"),),
    ),
    Entity(
        "orders",
        "orders",
        "Orders: the only thing that opens or extends a service.",
        (
            text("order_id*", "The order."),
            CUSTOMER,
            moment("ordered_at*", "When it was written."),
            text("kind*", "Trial or formal.", allowed="trial formal"),
            text(
                "status*",
                "Status.",
                "mutable",
                allowed="draft submitted approved cancelled refunded",
            ),
            moment("signed_at", "When the customer signed."),
            moment("approved_at", "When it was approved."),
            text("approved_by", "Who approved it."),
            text("approver_role", "In which role."),
            moment("cancelled_at", "When it was cancelled."),
            moment("refunded_at", "When it was refunded whole."),
            text("originator_role", "Who brought it: sales, cs or self."),
            text("currency*", "Currency of its lines.", "currency"),
            day("payment_due_on", "Day payment is due."),
            text("previous_order_id", "The order it replaces or renews."),
        ),
        key=("order_id",),
        business_time="ordered_at",
        parents=TO_CUSTOMER,
    ),
    Entity(
        "order_lines",
        "orders",
        "Lines of orders.",
        (
            text("order_line_id*", "The line."),
            text("order_id*", "Its order."),
            text("product_id*", "What was bought."),
            number("quantity*", "How many units."),
            number("unit_price*", "Price of one unit."),
            number("discount_amount", "Taken off the line."),
            text("coupon_code", "Coupon."),
            number("amount*", "Amount of the line after discount, for the whole term."),
            day("term_start", "First day of the term."),
            day("term_end", "Day after its last; empty for lifetime and one-time lines."),
            flag("is_auto_renew", "Goes on by itself."),
            whole("notice_days", "Days of notice before the end."),
            moment("non_renewal_noted_at", "When the customer said that it will not renew."),
            moment("cancelled_at", "When the line was cancelled."),
            text("replaces_order_line_id", "The line this one replaces."),
            text("bound_to_order_line_id", "The version line this add-on ends with."),
        ),
        key=("order_line_id",),
        business_time="term_start",
        parents=(("order_id", "orders"), ("product_id", "products")),
        ordered=(("term_start", "term_end"),),
    ),
    Entity(
        "subscriptions",
        "orders",
        "Terms, from sources that know only subscriptions.",
        (
            text("subscription_id*", "The subscription period."),
            CUSTOMER,
            text("product_id", "What was bought."),
            moment("booked_at", "When it was closed."),
            day("term_start*", "First day of the term."),
            day("term_end", "Day after its last; empty for lifetime."),
            number("mrr", "Monthly amount after recurring discount."),
            number("amount", "Amount of the whole term, where no monthly amount is stated."),
            text("currency", "Its currency; the company's where empty.", "currency"),
            number("quantity", "How many units."),
            text("unit", "What the quantity counts, such as seat."),
            whole("billing_months", "Months billed at once."),
            number("discount_ratio", "Share taken off."),
            flag("is_trial", "A trial."),
            flag("is_auto_renew", "Goes on by itself."),
            moment("cancelled_at", "When it was cancelled."),
            moment("non_renewal_noted_at", "When the customer said that it will not renew."),
            text("previous_subscription_id", "The subscription this one follows."),
        ),
        key=("subscription_id",),
        business_time="term_start",
        booked_time="booked_at",
        parents=TO_CUSTOMER,
        any_of=(("mrr", "amount"),),
        ordered=(("term_start", "term_end"),),
    ),
    Entity(
        "payments",
        "orders",
        "Money received and given back.",
        (
            text("payment_id*", "The payment."),
            text("order_id*", "The order it is for."),
            moment("paid_at*", "When."),
            number("amount*", "How much, never negative.", "never_negative"),
            text("kind*", "In or out.", allowed="payment refund"),
            text("currency", "Its currency; the order's where empty.", "currency"),
        ),
        key=("payment_id",),
        business_time="paid_at",
        parents=(("order_id", "orders"),),
    ),
    Entity(
        "services",
        "orders",
        "What is switched on for a customer.",
        (
            text("service_id*", "The service."),
            text("order_line_id", "The line that opened it."),
            CUSTOMER,
            text("product_id", "The product."),
            text("state*", "State.", "mutable", allowed="pending active terminated cancelled"),
            day("starts_on", "First day.", "mutable"),
            day("ends_on", "Day after the last.", "mutable"),
            number("quantity", "Units switched on.", "mutable"),
            text("opened_by", "By order or by hand.", allowed="automatic manual"),
            moment("changed_at", "Last change.", "mutable"),
        ),
        key=("service_id",),
        business_time="starts_on",
        parents=(*TO_CUSTOMER, ("order_line_id", "order_lines")),
        ordered=(("starts_on", "ends_on"),),
    ),
    Entity(
        "service_usage",
        "orders",
        "Use of services that are priced by use.",
        (
            text("service_id*", "The service."),
            day("used_on*", "The day."),
            number("quantity*", "Units used."),
        ),
        key=("service_id", "used_on"),
        business_time="used_on",
        parents=(("service_id", "services"),),
    ),
    Entity(
        "wallet_entries",
        "orders",
        "Prepaid money in and out.",
        (
            text("entry_id*", "The entry."),
            CUSTOMER,
            moment("occurred_at*", "When."),
            number("amount*", "In positive, out negative."),
            text("currency", "Its currency; the company's where empty.", "currency"),
        ),
        key=("entry_id",),
        business_time="occurred_at",
        parents=TO_CUSTOMER,
    ),
)

LOGINS = (
    Entity(
        "tenants",
        "logins",
        "Which customer a tenant of the product belongs to.",
        (text("tenant_id*", "The tenant."), CUSTOMER),
        key=("tenant_id",),
        parents=TO_CUSTOMER,
    ),
    Entity(
        "product_users",
        "logins",
        "Users of the product.",
        (
            text("user_id*", "The user."),
            text("tenant_id", "The user's tenant."),
            text("customer_id", "The customer, where there are no tenants."),
            moment("created_at", "When the user was made."),
            moment("deactivated_at", "When the user was switched off."),
        ),
        key=("user_id",),
        business_time="created_at",
        any_of=(("tenant_id", "customer_id"),),
    ),
    Entity(
        EVENTS,
        "logins",
        "What users did in the product: one row an event, logins among them.",
        (
            text("event_id", "The event's own id, where the source has one."),
            moment("occurred_at*", "When."),
            text("tenant_id", "The tenant."),
            text("customer_id", "The customer, where there are no tenants."),
            text("user_id", "The user."),
            text("event_name*", "What was done; `login` is a login."),
            text("feature", "The feature used."),
            whole("duration_seconds", "How long, whole seconds, never negative.", "never_negative"),
            number("quantity", "How many, where the event counts something."),
        ),
        business_time="occurred_at",
        any_of=(("tenant_id", "customer_id"),),
    ),
    Entity(
        "features",
        "logins",
        "Features of the product.",
        (
            text("feature*", "The feature."),
            flag("is_core*", "Part of what the product is bought for.", "mutable"),
        ),
        key=("feature",),
    ),
)

FINANCE = (
    Entity(
        "costs",
        "finance",
        "Costs by month and kind.",
        (
            day("month*", "First day of the month."),
            text(
                "category*",
                "Kind of cost.",
                allowed="sales marketing onboarding cs support hosting rd",
            ),
            number("amount*", "Amount."),
            text("currency", "Its currency; the company's where empty.", "currency"),
        ),
        key=("month", "category"),
        business_time="month",
    ),
    Entity(
        "exchange_rates",
        "finance",
        "Value of one unit of a currency in the company's currency.",
        (
            day("rate_date*", "First day the rate holds; it holds until the next."),
            text("currency*", "The currency."),
            number("rate*", "Company currency per unit.", "positive"),
        ),
        key=("rate_date", "currency"),
        business_time="rate_date",
    ),
    Entity(
        "adjustments",
        "finance",
        "Exceptions, each with author and reason, applied in one place and listed in the audit.",
        (
            text("adjustment_id*", "The adjustment."),
            text("author*", "Who decided it."),
            text("reason*", "Why."),
            day("dated_on*", "When."),
            text("entity*", "Entity it changes."),
            text("entity_key*", "Key of the row."),
            text("column*", "Column it sets."),
            text("value*", "Value it sets, as text."),
        ),
        key=("adjustment_id",),
        business_time="dated_on",
    ),
    Entity(
        "targets",
        "finance",
        "What was planned.",
        (
            day("month*", "First day of the month."),
            text("metric*", "A metric of `metric_definitions`."),
            text("segment*", "Segment, or `all`."),
            number("value*", "Target."),
        ),
        key=("month", "metric", "segment"),
        business_time="month",
    ),
)

PRODUCT = (
    Entity(
        "access_log",
        "product",
        "What our own people did in customers' services.",
        (
            text("entry_id*", "The entry."),
            text("employee_id*", "Who."),
            moment("occurred_at*", "When."),
            text("action", "What."),
            text("allowed_role", "Role that may do it."),
        ),
        key=("entry_id",),
        business_time="occurred_at",
        parents=(("employee_id", "employees"),),
    ),
)

ENTITIES: dict[str, Entity] = {
    entity.name: entity for entity in (*CRM, *ORDERS, *LOGINS, *FINANCE, *PRODUCT)
}

# Columns any entity may map; they order versions and date knowledge, and are not facts themselves.
KNOWLEDGE_COLUMNS = (
    moment("updated_at", "When the source last changed the row: orders its versions."),
    moment("recorded_at", "When the row was written down: from then on it was known."),
)


def all_columns(entity: Entity) -> tuple[Column, ...]:
    """The contract's columns, then the knowledge columns it does not have itself."""
    own = set(entity.column_names)
    return (*entity.columns, *(column for column in KNOWLEDGE_COLUMNS if column.name not in own))
