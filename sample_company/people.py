"""The company's own people, who looks after whom, and what they did in customers' services."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from sample_company.customers import Customer
from sample_company.dates import LAST_DAY, first_day, moment, working_day
from sample_company.tables import DATE, NUMBER, TEXT, TIME, table

GIVEN = ("Anna", "Ben", "Clara", "David", "Elif", "Finn", "Greta", "Hugo", "Ida", "Jonas", "Kaya",
         "Lena", "Max", "Nora", "Oskar", "Paula", "Quirin", "Rosa", "Sami", "Tilda")  # fmt: skip
FAMILY = ("Albers", "Brandt", "Cordes", "Dahl", "Ebert", "Funk", "Graf", "Haas", "Ihde", "Jung",
          "Krug", "Lenz", "Moser", "Noll", "Otto", "Pohl", "Rau", "Seidel", "Thoma",
          "Vogt")  # fmt: skip


@dataclass(frozen=True)
class Employee:
    employee_id: str
    name: str
    role: str
    team: str
    started_on: date
    left_on: date | None
    weekly_hours: float
    certified_on: date | None


@dataclass(frozen=True)
class Staff:
    """Everybody, and for each customer the CSMs one after the other, each from a day on."""

    employees: list[Employee]
    csms_of: dict[str, list[tuple[date, Employee]]]
    sales_of: dict[str, str]
    ownerships: pl.DataFrame

    def csm_on(self, customer_id: str, day: date) -> str | None:
        """Who works for the customer as CSM on a day; nobody after the owner has left."""
        owners = [owner for since, owner in self.csms_of[customer_id] if since <= day]
        if not owners or (owners[-1].left_on is not None and owners[-1].left_on <= day):
            return None
        return owners[-1].employee_id

    def of_role(self, role: str) -> list[Employee]:
        return [person for person in self.employees if person.role == role]


def hire(customers: Sequence[Customer], months: int, seed: int) -> Staff:
    """One CSM for about thirty customers, one of whom has left and left customers behind."""
    random_ = random.Random(f"{seed}/people")
    start = first_day(months) - timedelta(days=200)
    csm_count = max(4, len(customers) // 30)
    roles = [("csm", "customer success")] * csm_count
    roles += [("sales", "sales")] * max(3, len(customers) // 60)
    roles += [("support", "support")] * max(3, len(customers) // 80)
    roles += [("finance", "back office")] * 2 + [("engineer", "product")] * 3
    employees = [
        Employee(
            employee_id=f"E{number + 1:04d}",
            name=f"{random_.choice(GIVEN)} {random_.choice(FAMILY)}",
            role=role,
            team=team,
            started_on=working_day(start + timedelta(days=random_.randrange(0, 150))),
            left_on=LAST_DAY - timedelta(days=75) if number == 0 else None,
            weekly_hours=random_.choice((20, 30, 32, 38, 38)),
            certified_on=(
                None
                if random_.random() < 0.1
                else working_day(start + timedelta(days=random_.randrange(160, 260)))
            ),
        )
        for number, (role, team) in enumerate(roles)
    ]
    csms = [person for person in employees if person.role == "csm"]
    sellers = [person for person in employees if person.role == "sales"]
    rows: list[tuple[object, ...]] = []
    csms_of: dict[str, list[tuple[date, Employee]]] = {}
    sales_of: dict[str, str] = {}
    for customer in customers:
        since = customer.first_day
        seller = random_.choice(sellers)
        sales_of[customer.customer_id] = seller.employee_id
        rows.append((customer.customer_id, "sales", customer.created_on, seller.employee_id, None))
        owner = random_.choice(csms[1:])
        owners = [(since, owner)]
        if "no_owner" in customer.stories:
            owners = []
        elif "owner_left" in customer.stories:
            owners = [(since, csms[0])]
        elif random_.random() < 0.15 and since < LAST_DAY - timedelta(days=200):
            handed = working_day(LAST_DAY - timedelta(days=random_.randrange(20, 190)))
            owners = [(since, random_.choice(csms[1:])), (handed, owner)]
        ends: list[date | None] = [later for later, _ in owners[1:]] + [None]
        if "two_csms" in customer.stories:  # handed over, and the first never let go
            handed = working_day(LAST_DAY - timedelta(days=100))
            second = csms[1 + csms.index(owner) % (len(csms) - 1)]
            owners, ends = [(since, owner), (handed, second)], [None, None]
        csms_of[customer.customer_id] = owners
        rows += [
            (customer.customer_id, "csm", day, person.employee_id, end)
            for (day, person), end in zip(owners, ends, strict=False)
        ]
    ownerships = table(
        {
            "customer_id": TEXT,
            "role": TEXT,
            "valid_from": DATE,
            "employee_id": TEXT,
            "valid_to": DATE,
        },
        rows,
    )
    return Staff(employees, csms_of, sales_of, ownerships)


def employee_table(staff: Staff) -> pl.DataFrame:
    return table(
        {
            "employee_id": TEXT,
            "name": TEXT,
            "email": TEXT,
            "role": TEXT,
            "team": TEXT,
            "started_on": DATE,
            "left_on": DATE,
            "weekly_hours": NUMBER,
            "certified_on": DATE,
        },
        [
            (
                person.employee_id,
                person.name,
                f"{person.employee_id.lower()}@flow.example",
                person.role,
                person.team,
                person.started_on,
                person.left_on,
                person.weekly_hours,
                person.certified_on,
            )
            for person in staff.employees
        ],
    )


def access_log(staff: Staff, seed: int) -> pl.DataFrame:
    """Who of us opened customers' services in the last year.

    The first two had not the right role; the third had left the company.
    """
    random_ = random.Random(f"{seed}/access")
    rows = []
    for number in range(40 + len(staff.employees) * 3):
        day = working_day(LAST_DAY - timedelta(days=random_.randrange(3, 360)))
        person = random_.choice(staff.of_role("sales" if number < 2 else "support"))
        if number == 2:
            person = staff.employees[0]
            assert person.left_on is not None
            day = working_day(person.left_on + timedelta(days=20))
        action = random_.choice(("open_service", "read_document", "change_quantity"))
        at = moment(day, random_.randrange(8, 18), random_.randrange(60))
        allowed = "csm" if person.role == "csm" else "support"
        rows.append((f"AL{number + 1:06d}", person.employee_id, at, action, allowed))
    return table(
        {
            "entry_id": TEXT,
            "employee_id": TEXT,
            "occurred_at": TIME,
            "action": TEXT,
            "allowed_role": TEXT,
        },
        rows,
    )
