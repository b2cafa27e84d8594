"""Keep what other services say; whatever it may set in motion is left to the planning job."""

from collections.abc import Sequence

from bureau_sync_svc import tables
from bureau_sync_svc.store import copies, parties
from bureau_sync_svc.store.copies import AccountMonth, Values
from shared.db import Connection

_MONTH_KEY = ("employee_id", "levy_period")


async def keep_accounts(conn: Connection, accounts: Sequence[Values]) -> None:
    """Accounts of employers, each with the employer's version."""
    await copies.keep_newest(conn, tables.accounts, ("account_id",), accounts)


async def keep_employees(conn: Connection, employees: Sequence[Values]) -> None:
    """Employees by id."""
    await copies.keep_newest(conn, tables.employees, ("employee_id",), employees)


async def keep_identities(conn: Connection, identities: Sequence[Values]) -> None:
    """Sealed identities, not opened."""
    await copies.keep_newest(conn, tables.identities, ("employee_id",), identities)


async def forget_identities(conn: Connection, employee_ids: Sequence[str]) -> None:
    """Deletes sealed identities and every index made of them."""
    await copies.forget_identities(conn, employee_ids)


async def keep_policies(
    conn: Connection, policies: Sequence[Values], named: Sequence[tuple[str, str, str]]
) -> None:
    """Policies by city, and the parties (party, kind, city) that they name."""
    await parties.add(conn, named)
    await copies.mark_cities_stale(conn, [policy["city"] for policy in policies])
    await copies.keep_newest(conn, tables.policies, ("city",), policies)


async def keep_assessments(
    conn: Connection, assessments: Sequence[Values], named: Sequence[tuple[str, str, str]]
) -> None:
    """Assessments by employee and levy period; the account that one leaves is planned anew as well
    as the one it joins.
    """
    keys = [(one["employee_id"], one["levy_period"]) for one in assessments]
    months = {_account_month(one) for one in assessments}
    months.update(await copies.assessed_under(conn, keys))
    await parties.add(conn, named)
    await copies.mark_stale(conn, months)
    await copies.keep_newest(conn, tables.assessments, _MONTH_KEY, assessments)


async def keep_declarations(conn: Connection, declarations: Sequence[Values]) -> None:
    """Approved declarations: the intents to file."""
    await parties.add(conn, [(one["collector"], "collector", one["city"]) for one in declarations])
    await copies.mark_stale(conn, {_account_month(one) for one in declarations})
    await copies.keep_newest(conn, tables.declarations, ("declaration_id",), declarations)


async def keep_postings(
    conn: Connection, postings: Sequence[Values], cities: Sequence[str]
) -> None:
    """What the bank took, by employee and levy period; `cities` are those of the postings, in
    order.
    """
    months = {
        AccountMonth(one["account_id"], one["levy_period"], one["employer_id"], city)
        for one, city in zip(postings, cities, strict=True)
    }
    await copies.mark_stale(conn, months)
    await copies.keep_newest(conn, tables.postings, _MONTH_KEY, postings)


def _account_month(one: Values) -> AccountMonth:
    return AccountMonth(one["account_id"], one["levy_period"], one["employer_id"], one["city"])
