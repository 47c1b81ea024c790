"""Contact, support and voice: what the CRM and the help desk hold about each customer.

Every row follows from the behaviour's weekly paths (contact lapses, tickets pile up, surveys
answer to the risk with much noise), never from a loss that is still to come.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from sample_company.catalogue import WISHES
from sample_company.company import Company
from sample_company.customers import Customer
from sample_company.dates import LAST_DAY, moment, working_day
from sample_company.people import FAMILY, GIVEN
from sample_company.selling import Loss
from sample_company.tables import DATE, FLAG, NUMBER, TEXT, TIME, WHOLE, Columns, table

PLAN_DAYS = ((20_000, 30), (6_000, 60), (0, 120))  # from this ARR on: contact so often
TALK_LEADS = (120, 115, 110, 110, 105, 105, 100, 100, 95, 70)  # days before due
PLAYBOOKS = {
    "usage_down": "usage_recovery",
    "lost_contact_ours": "reconnect",
    "tickets_unanswered": "support_escalation",
}
STEPS = (("kick_off", 7), ("set_up", 21), ("training", 35), ("go_live", 45))
DAY = timedelta(days=1)
Row = tuple[object, ...]

COLUMNS: dict[str, Columns] = {
    "contacts": {
        "contact_id": TEXT, "customer_id": TEXT, "name": TEXT, "email": TEXT, "role": TEXT,
        "is_primary": FLAG, "is_champion": FLAG, "left_on": DATE,
    },
    "interactions": {
        "interaction_id": TEXT, "customer_id": TEXT, "occurred_at": TIME, "recorded_at": TIME,
        "employee_id": TEXT, "contact_id": TEXT, "direction": TEXT, "mode": TEXT,
        "channel": TEXT, "kind": TEXT, "summary": TEXT, "attachment_uri": TEXT,
    },
    "messages": {
        "message_id": TEXT, "customer_id": TEXT, "sent_at": TIME, "is_from_customer": FLAG,
        "employee_id": TEXT, "channel": TEXT,
    },
    "csm_assessments": {
        "customer_id": TEXT, "assessed_at": TIME, "employee_id": TEXT, "view": TEXT, "note": TEXT,
    },
    "onboarding_steps": {
        "customer_id": TEXT, "round_no": WHOLE, "step": TEXT, "order_id": TEXT,
        "sequence": WHOLE, "target_days": WHOLE, "due_on": DATE, "started_at": TIME,
        "done_at": TIME, "accepted_at": TIME, "owner_id": TEXT,
    },
    "tickets": {
        "ticket_id": TEXT, "customer_id": TEXT, "opened_at": TIME, "kind": TEXT,
        "priority": TEXT, "first_response_at": TIME, "resolved_at": TIME,
        "reopened_count": WHOLE, "satisfaction_score": NUMBER, "responder_id": TEXT,
    },
    "surveys": {
        "survey_id": TEXT, "customer_id": TEXT, "kind": TEXT, "sent_at": TIME,
        "responded_at": TIME, "score": NUMBER,
    },
    "feature_requests": {
        "request_id": TEXT, "customer_id": TEXT, "feature": TEXT, "requested_at": TIME,
        "shipped_at": TIME, "is_promised_at_sale": FLAG,
    },
    "playbook_runs": {
        "playbook_run_id": TEXT, "customer_id": TEXT, "playbook": TEXT, "kind": TEXT,
        "trigger": TEXT, "warning_id": TEXT, "owner_id": TEXT, "due_on": DATE,
        "started_at": TIME, "done_at": TIME, "outcome": TEXT, "skipped_reason": TEXT,
        "snoozed_until": DATE,
    },
    "churn_reasons": {"customer_id": TEXT, "noted_at": TIME, "reason": TEXT, "note": TEXT},
}  # fmt: skip


class Diary:
    """Writes the rows of all customers, one customer after the other, week by week."""

    def __init__(self, company: Company) -> None:
        self.behaviour = company.behaviour
        self.staff = company.staff
        self.random = random.Random(f"{company.seed}/relationship")
        self.rows: dict[str, list[Row]] = {name: [] for name in COLUMNS}
        self.supporters = [person.employee_id for person in self.staff.of_role("support")]
        self.first_order: dict[str, str] = {}
        self.lives: dict[str, list[tuple[date, date]]] = {}
        self.due: dict[str, set[date]] = {}
        self.worth: dict[str, list[tuple[date, date, float]]] = {}
        for order in company.book.orders:
            if order.approved_at is not None and order.kind == "formal":
                self.first_order.setdefault(order.customer.customer_id, order.order_id)
        for term in company.book.terms:
            who, until = term.customer.customer_id, term.effective_end or LAST_DAY + DAY
            self.lives.setdefault(who, []).append((term.start, until))
            self.worth.setdefault(who, []).append((term.start, until, 12 * float(term.mrr or 0)))
            if term.end and not term.is_trial and (term.end - term.start).days > 150:
                self.due.setdefault(who, set()).add(term.end)

    def add(self, entity: str, *row: object) -> None:
        self.rows[entity].append(row)

    def key(self, prefix: str, entity: str) -> str:
        return f"{prefix}{len(self.rows[entity]) + 1:07d}"

    def at(self, day: date) -> object:
        return moment(day, self.random.randrange(8, 18), self.random.randrange(60))

    def plan_days(self, customer: Customer, day: date) -> int:
        """How often the company means to be in touch, by the customer's ARR on the day."""
        worth = self.worth[customer.customer_id]
        arr = sum(amount for start, until, amount in worth if start <= day < until)
        return next(days for least, days in PLAN_DAYS if arr >= least)

    def write(self, customer: Customer) -> None:
        contacts = self.contacts(customer)
        life = self.lives.get(customer.customer_id)
        if not life:
            return
        first, last = min(start for start, _ in life), max(end for _, end in life)
        last = min(last, LAST_DAY)
        if first > LAST_DAY:
            return
        self.onboarding(customer, first)
        if "second_onboarding" in customer.stories:
            self.onboarding(customer, LAST_DAY - timedelta(days=150), 2)
        self.interact(customer, contacts, first, last)
        self.weeks(customer, first, last)

    def contacts(self, customer: Customer) -> list[str]:
        week = int(self.behaviour.champion_left[customer.index])
        left_on = self.behaviour.start + timedelta(days=7 * week + 2) if week >= 0 else None
        if left_on and left_on > LAST_DAY:
            left_on = None
        is_long_ago = left_on is not None and left_on < LAST_DAY - timedelta(days=120)
        has_successor = is_long_ago and "champion_left" not in customer.stories
        ids = []
        for number in range(self.random.randint(3 if has_successor else 2, 5)):
            contact_id = f"P{customer.index + 1:06d}-{number + 1}"
            name = f"{self.random.choice(GIVEN)} {self.random.choice(FAMILY)}"
            role = ("manager", "administrator", "buyer", "user", "user")[number]
            mail = f"{name.lower().replace(' ', '.')}{number}@{customer.domain}"
            self.add(
                "contacts", contact_id, customer.customer_id, name, mail, role,
                number == 0, number == 1 or (number == 2 and has_successor),
                left_on if number == 1 else None,
            )  # fmt: skip
            ids.append(contact_id)
        return ids

    def onboarding(self, customer: Customer, first: date, round_no: int = 1) -> None:
        stuck = {"failed_onboarding", "never_started", "onboarding_stuck"}
        is_failed = bool(customer.stories & stuck)
        late = self.random.choice((0, 0, 0, 5, 25))
        owner = self.staff.csm_on(customer.customer_id, first)
        started = working_day(first)
        for sequence, (step, target) in enumerate(STEPS, start=1):
            due_on = first + timedelta(days=target)
            done = working_day(due_on + timedelta(days=late + self.random.randint(-5, 4)))
            is_done = done <= LAST_DAY and not (is_failed and sequence > 1)
            is_begun = started <= LAST_DAY and not (is_failed and sequence > 2)
            self.add(
                "onboarding_steps", customer.customer_id, round_no, step,
                self.first_order.get(customer.customer_id), sequence, target, due_on,
                moment(started, 9) if is_begun else None,
                moment(done, 15) if is_done else None,
                moment(done, 16) if is_done and step == "go_live" else None, owner,
            )  # fmt: skip
            started = done

    def interact(self, customer: Customer, contacts: list[str], first: date, last: date) -> None:
        """Contact by the plan while it does not lapse; most of ours is answered within days."""
        pick, ours = self.random, self.staff.sales_of[customer.customer_id]
        wanted = [(first - timedelta(days=8), "demo")]
        wanted += [
            (first + timedelta(days=3), "handover"),
            (first + timedelta(days=30), "training"),
        ]
        for since, _ in self.staff.csms_of[customer.customer_id][1:]:
            wanted.append((since + timedelta(days=pick.randrange(2, 25)), "handover"))
        day = first + timedelta(days=30)
        while day <= last:
            kinds = ("check_in", "check_in", "check_in", "business_review", "training")
            wanted.append((day, pick.choice(kinds)))
            day += self.plan_days(customer, day) * pick.uniform(0.5, 0.95) * DAY
        for number in range((last - first).days // 91):
            wanted.append((first + timedelta(days=91 * number + 40), "campaign"))
        for due in sorted(self.due.get(customer.customer_id, ())):
            lead = 150 if "renewal_talk" in customer.stories else pick.choice(TALK_LEADS)
            wanted.append((due - timedelta(days=lead), "renewal_talk"))
        for planned, kind in sorted(wanted):
            day = working_day(planned)
            if day > min(last, LAST_DAY - timedelta(days=3)):
                continue
            lapse = self.behaviour.lapse[customer.index, self.behaviour.week(day)]
            if lapse and day > first and kind != "campaign":
                continue
            employee_id = self.staff.csm_on(customer.customer_id, day) or ours
            contact_id = pick.choice(contacts)
            is_inbound = kind == "check_in" and pick.random() < 0.2
            self.talk(customer, day, kind, employee_id, contact_id, is_inbound)
            replied = working_day(day + pick.choice((0, 1, 2)) * DAY)
            is_heard = kind != "campaign" and pick.random() < 0.6
            if is_heard and not is_inbound and replied <= LAST_DAY - timedelta(days=3):
                self.talk(customer, replied, "reply", employee_id, contact_id, True)

    def talk(
        self,
        customer: Customer,
        day: date,
        kind: str,
        employee_id: str,
        contact_id: str,
        is_inbound: bool,
    ) -> None:
        pick = self.random
        at = moment(day, pick.randrange(8, 17), pick.randrange(60))
        is_mailing = kind == "campaign"
        self.add(
            "interactions", self.key("I", "interactions"), customer.customer_id, at,
            at + timedelta(hours=pick.choice((1, 2, 20, 44))),
            None if is_mailing else employee_id, contact_id,
            "inbound" if is_inbound else "outbound",
            "one_to_many" if is_mailing else "reactive" if is_inbound else "proactive",
            pick.choice(("mail",) if is_mailing else ("phone", "mail", "visit", "video")), kind,
            f"{kind.replace('_', ' ')} with {customer.name}", None,
        )  # fmt: skip

    def weeks(self, customer: Customer, first: date, last: date) -> None:
        """Tickets, surveys, views of the CSM, requests and playbooks, week by week."""
        pick, index = self.random, customer.index
        is_mute = "lost_contact" in customer.stories
        usual = 0.03 + 0.0015 * min(customer.seats, 60)
        for day in self.assessment_days(customer, first, last):
            self.assess(customer, day)
        if pick.random() < 0.12:
            self.request(customer, first, is_promised=True)
        week_no = self.behaviour.week(first)
        for week in range(week_no, self.behaviour.week(last) + 1):
            monday = max(first, self.behaviour.start + timedelta(days=7 * week))
            if is_mute and (LAST_DAY - monday).days < 366:
                return
            pile = float(self.behaviour.pile[index, week])
            risk = float(self.behaviour.risk[index, week])
            base = 0.3 * usual if self.behaviour.lapse[index, week] else usual
            rate = base + 0.3 * pile + (0.15 if week - week_no < 8 else 0.0)
            while pick.random() < rate:
                rate -= 1.0
                self.ticket(customer, monday, last, pile, week - week_no < 8)
            if (week - week_no) % 26 == 20:
                self.survey(customer, "nps", monday, last, 8.7 - 1.4 * risk + pick.gauss(0, 1))
            if (week - week_no) % 52 == 12:
                self.survey(customer, "ces", monday, last, 5.6 - 0.5 * risk + pick.gauss(0, 1))
            if pick.random() < 0.008 and monday <= last:
                self.request(customer, monday)
            if risk > 1.6 and pick.random() < 0.1:
                self.playbook(customer, monday, last, pick.choice(list(PLAYBOOKS)))
            if risk < -0.8 and pick.random() < 0.004:
                self.playbook(customer, monday, last, "seats_full")

    def ticket(
        self, customer: Customer, monday: date, last: date, pile: float, is_early: bool
    ) -> None:
        pick = self.random
        day = working_day(monday + timedelta(days=pick.randrange(7)))
        if day > last:
            return
        opened = moment(day, pick.randrange(8, 18), pick.randrange(60))
        is_stuck = "tickets_pile_up" in customer.stories and (LAST_DAY - day).days < 56
        hours = pick.expovariate(1 / (5 + 30 * pile))
        answered = None if is_stuck else opened + timedelta(minutes=int(60 * hours) + 4)
        solved = None
        if answered is not None and pick.random() > 0.01 + 0.05 * pile:
            solved = answered + timedelta(minutes=int(60 * pick.expovariate(1 / (30 + 60 * pile))))
        end = moment(LAST_DAY, 22)
        answered = answered if answered and answered < end else None
        solved = solved if solved and solved < end else None
        ticket_id = self.key("T", "tickets")
        kind = pick.choice(("implementation", "request") if is_early else ("request", "issue"))
        responder = self.supporters[min(int(pick.expovariate(1.2)), len(self.supporters) - 1)]
        mark = min(5, max(1, round(4.6 - 0.7 * pile + pick.gauss(0, 0.7))))
        self.add(
            "tickets", ticket_id, customer.customer_id, opened, kind,
            pick.choice(("low", "normal", "normal", "high")), answered, solved,
            int(pick.random() < 0.08 + 0.05 * pile),
            mark if solved and pick.random() < 0.4 else None, responder if answered else None,
        )  # fmt: skip
        self.add(
            "messages", self.key("M", "messages"), customer.customer_id, opened, True, None, "mail"
        )
        if answered:
            self.add(
                "messages", self.key("M", "messages"), customer.customer_id, answered, False,
                responder, "mail",
            )  # fmt: skip
        if solved and pick.random() < 0.3 and (day_after := solved.date()) < LAST_DAY:
            score = 4.4 - 0.6 * pile + pick.gauss(0, 0.6)
            self.survey(customer, "csat", day_after, LAST_DAY, score)

    def survey(
        self, customer: Customer, kind: str, monday: date, last: date, answer: float
    ) -> None:
        pick = self.random
        day = working_day(monday + timedelta(days=1))
        if day > last:
            return
        low, high = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}[kind]
        replied = working_day(day + timedelta(days=pick.randrange(0, 9)))
        lapse = self.behaviour.lapse[customer.index, self.behaviour.week(day)]
        has_answer = pick.random() < (0.1 if lapse else 0.55) and replied <= LAST_DAY
        self.add(
            "surveys", self.key("V", "surveys"), customer.customer_id, kind, moment(day, 7, 30),
            moment(replied, 16, pick.randrange(60)) if has_answer else None,
            min(high, max(low, round(answer))) if has_answer else None,
        )  # fmt: skip

    def assessment_days(self, customer: Customer, first: date, last: date) -> list[date]:
        """A view a quarter; shortly before 270, 180 and 90 days and at the end of long terms."""
        due = self.due.get(customer.customer_id)
        if due:
            days = [day - (4 + 91 * quarter) * DAY for day in due for quarter in range(4)]
        else:
            days = [first + (56 + 91 * quarter) * DAY for quarter in range(60)]
        return sorted({working_day(day) for day in days if first < day < last - 4 * DAY})

    def assess(self, customer: Customer, day: date) -> None:
        owner = self.staff.csm_on(customer.customer_id, day)
        risk = float(self.behaviour.risk[customer.index, self.behaviour.week(day)])
        impression = risk + self.random.gauss(0, 0.5)
        if owner is not None:
            view = "red" if impression > 2.0 else "yellow" if impression > 0.9 else "green"
            self.add(
                "csm_assessments", customer.customer_id, moment(day, 17), owner, view,
                None if view == "green" else "use and mood are not what they were",
            )  # fmt: skip

    def request(self, customer: Customer, monday: date, *, is_promised: bool = False) -> None:
        """A wish that is not fulfilled yet."""
        day = min(working_day(monday), LAST_DAY)
        open_ = {wish: on for wish, on in WISHES.items() if on is None or on > day}
        wish, shipped_on = self.random.choice(list(open_.items()))
        self.add(
            "feature_requests", self.key("R", "feature_requests"), customer.customer_id, wish,
            moment(day, 11), moment(shipped_on, 12) if shipped_on else None, is_promised,
        )  # fmt: skip

    def playbook(self, customer: Customer, monday: date, last: date, trigger: str) -> None:
        """Done in time or late, skipped with a reason, put off, or under way."""
        pick, day = self.random, working_day(monday + timedelta(days=2))
        if day > last:
            return
        done = working_day(day + timedelta(days=pick.randrange(2, 25)))
        way = pick.choices(("done", "skipped", "snoozed"), weights=(6, 2, 2))[0]
        is_done = way == "done" and done <= LAST_DAY
        self.add(
            "playbook_runs", self.key("B", "playbook_runs"), customer.customer_id,
            PLAYBOOKS.get(trigger, "expand_seats"),
            "risk" if trigger in PLAYBOOKS else "upsell", trigger, None,
            self.staff.csm_on(customer.customer_id, day), day + timedelta(days=14),
            moment(day, 10) if way == "done" else None, moment(done, 15) if is_done else None,
            pick.choice(("better", "unchanged")) if is_done else None,
            pick.choice(("no time", "known already")) if way == "skipped" else None,
            day + timedelta(days=30) if way == "snoozed" else None,
        )  # fmt: skip

    def reasons(self, losses: Sequence[Loss]) -> None:
        """Why customers left, noted within days, for most of them."""
        for loss in losses:
            day = working_day(loss.lost_on + timedelta(days=self.random.randrange(0, 9)))
            if day <= LAST_DAY and self.random.random() < 0.85:
                self.add(
                    "churn_reasons", loss.customer.customer_id, moment(day, 12, 20), loss.reason,
                    f"left for {loss.reason.replace('_', ' ')}",
                )  # fmt: skip


def write_diary(company: Company) -> dict[str, pl.DataFrame]:
    """All tables of `COLUMNS`."""
    diary = Diary(company)
    for customer in company.customers:
        if customer.merged_into_customer_id is None:
            diary.write(customer)
    diary.reasons(company.losses)
    return {name: table(columns, diary.rows[name]) for name, columns in COLUMNS.items()}
