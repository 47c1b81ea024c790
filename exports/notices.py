"""Notices by mail, chat or webhook: a night that failed, data that are wrong, a CSM's morning.

A notice that cannot be sent is told in one line, without the address; it never fails the night.
"""

import datetime as dt
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import duckdb
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from exports.config import Company
from exports.page_words import Words, write_money
from exports.private_file import literal

DIGEST_WARNINGS = 10
"""A CSM with more open warnings than this reads on in the queue."""


def service_at(address: SecretStr) -> Any:
    """Apprise's service behind an address; None when it does not know one."""
    import apprise  # noqa: PLC0415 it takes a second: only for who wants notices

    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its messages may hold addresses
    return apprise.Apprise.instantiate(address.get_secret_value(), suppress_exceptions=True)


def _is_known(address: SecretStr) -> SecretStr:
    if service_at(address) is None:
        raise ValueError(
            "not an address that Apprise knows; for example mailtos://…, slack://…, wecombot://…, "
            "dingtalk://…, feishu://…, jsons://… for a webhook"
        )
    return address


Address = Annotated[SecretStr, AfterValidator(_is_known)]


class NoticesConfig(BaseModel):
    """Who is told what. Addresses are secrets: written as ${NAME}, kept nowhere."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    to: list[Address] = Field(
        default=[],
        description=(
            "Apprise addresses (mail, Slack, WeCom, DingTalk, Feishu, webhooks), each as ${NAME} "
            "from the environment."
        ),
    )
    of: list[Literal["failure", "alarm"]] = Field(
        default=["failure", "alarm"],
        description="What is told there: a night that was refused, alarms that are new.",
    )
    digests: dict[str, Address] = Field(
        default={},
        description="CSM id and the address that gets the open warnings of that CSM each morning.",
    )


def tell_failure(
    config: NoticesConfig, company: str, reasons: Iterable[str], language: str = "en"
) -> list[str]:
    """Tells that a night was refused; returns a line for each notice that could not be sent."""
    if "failure" not in config.of:
        return []
    words = Words(language)
    body = "\n".join([*reasons, words.write("notices.stays")])
    return _send_all(config, words.write("notices.refused", company=company), body)


def tell_alarms(
    config: NoticesConfig,
    company: Company,
    database: Path,
    as_of_date: dt.date,
    previous_night: dt.date | None,
) -> list[str]:
    """Tells the alarms that opened since the night before; returns what could not be sent."""
    if "alarm" not in config.of or not config.to:
        return []
    since = f" where opened_on > date '{previous_night}'" if previous_night else ""
    alarms = _read(database, f"select kind, entity, detail from data_alarms{since} order by all")
    if not alarms:
        return []
    words = Words(company.language)
    lines = [
        words.name(kind)
        + (f" ({words.name(entity)})" if entity else "")
        + (f": {detail}" if words.tells_details else "")
        for kind, entity, detail in alarms
    ]
    title = words.write("notices.alarms", company=company.name, n=len(alarms), day=as_of_date)
    return _send_all(config, title, "\n".join(lines))


def tell_digests(
    config: NoticesConfig, company: Company, database: Path, as_of_date: dt.date
) -> list[str]:
    """Sends each CSM their open warnings in the order of the queue, to whom there are any."""
    words = Words(company.language)
    failed = []
    for csm_id, address in config.digests.items():
        warnings = _read(
            database,
            """
            select
                customers.customer_name, customer_id, warnings.reason_code, warnings.due_date,
                warnings.due_arr
            from churn_warnings as warnings
            left join customer_360 as customers using (customer_id)
            where
                warnings.closed_on is null
                and warnings.is_within_budget
                and warnings.csm_id = $csm_id
            order by warnings.rank nulls last, warnings.warning_id
            """,
            {"csm_id": csm_id},
        )
        if not warnings:
            continue
        lines = [_say_warning(row, words, company.currency) for row in warnings[:DIGEST_WARNINGS]]
        if len(warnings) > DIGEST_WARNINGS:
            lines.append(words.write("notices.more", n=len(warnings) - DIGEST_WARNINGS))
        title = words.write("notices.digest", company=company.name, n=len(warnings), day=as_of_date)
        failed += _send(address, f"notices.digests.{csm_id}", title, "\n".join(lines))
    return failed


def _say_warning(row: tuple[Any, ...], words: Words, currency: str) -> str:
    """A customer, the reason to call, the day to act by and the ARR due, where they are known."""
    name, customer_id, reason, act_by, due_arr = row
    parts = [f"{name or customer_id}: {words.reason(reason)}"]
    if act_by is not None:
        parts.append(words.write("notices.act_by", day=act_by))
    if due_arr is not None:
        amount = write_money(due_arr)
        parts.append(words.write("notices.due", amount=amount, currency=currency))
    return words.join(parts)


def _send_all(config: NoticesConfig, title: str, body: str) -> list[str]:
    return [
        line
        for number, address in enumerate(config.to)
        for line in _send(address, f"notices.to.{number}", title, body)
    ]


def _send(address: SecretStr, place: str, title: str, body: str) -> list[str]:
    service = service_at(address)
    try:
        if service is not None and service.notify(body=body, title=title):
            return []
    except Exception:  # a service's own error may tell its address
        pass
    return [f"Notice    not sent to {place}" + (f" ({service.service_name})" if service else "")]


def _read(
    database: Path, query: str, parameters: Mapping[str, str] | None = None
) -> list[tuple[str, ...]]:
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(f"attach {literal(database)} as published (read_only); use published")
        return connection.execute(query, dict(parameters or {})).fetchall()
