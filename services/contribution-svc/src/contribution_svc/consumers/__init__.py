"""The Kafka door: payroll's facts about people and wages, and the bureaus' rows; one run of events,
one use case.
"""

from collections.abc import Mapping, Sequence
from datetime import date

from contribution_svc.consumers import own
from contribution_svc.domain.wages import PayItem
from contribution_svc.store import postings, roster
from contribution_svc.store.wages import Wage
from contribution_svc.usecases import roster as roster_usecases
from shared.clock import Clock
from shared.consumer import Handler
from shared.contracts import (
    BUREAU_SYNC,
    PAYROLL,
    BureauAck,
    EmployeeChanged,
    EmployerChanged,
    Event,
    SalaryComputed,
)
from shared.db import Connection
from shared.values import LevyPeriod

__all__ = ["TOPICS", "handlers", "own"]

TOPICS = (PAYROLL, BUREAU_SYNC)


def handlers(clock: Clock) -> Mapping[type[Event], Handler]:
    """What this service listens to."""

    async def on_employers(conn: Connection, events: Sequence[EmployerChanged]) -> None:
        employers = [_employer(event) for event in events]
        await roster_usecases.take_in_employers(conn, employers, clock.now())

    async def on_employees(conn: Connection, events: Sequence[EmployeeChanged]) -> None:
        employees = [_employee(event) for event in events]
        await roster_usecases.take_in_employees(conn, employees, clock.now())

    async def on_salaries(conn: Connection, events: Sequence[SalaryComputed]) -> None:
        wages = [_wage(event) for event in events]
        await roster_usecases.take_in_wages(conn, wages, clock.now())

    async def on_bureau_acks(conn: Connection, events: Sequence[BureauAck]) -> None:
        months = [_bureau_month(event) for event in events]
        await roster_usecases.take_in_bureau_months(conn, months, clock.now())

    return {
        EmployerChanged: on_employers,
        EmployeeChanged: on_employees,
        SalaryComputed: on_salaries,
        BureauAck: on_bureau_acks,
    }


def _employer(event: EmployerChanged) -> roster.Employer:
    cut_over = str(LevyPeriod.parse(event.cut_over))
    return roster.Employer(
        employer_id=event.employer_id,
        version=event.version,
        cut_over=cut_over,
        accounts=[
            roster.Account(
                account_id=account.account_id,
                employer_id=event.employer_id,
                account_no=account.account_no,
                city=account.city,
                collector=account.collector,
                bank_account_ref=account.bank_account_ref,
                auto_debit=account.auto_debit,
                next_period=cut_over,
                own_rates=account.own_rates,
            )
            for account in event.accounts
        ],
    )


def _employee(event: EmployeeChanged) -> roster.Employee:
    return roster.Employee(
        employee_id=event.employee_id,
        employer_id=event.employer_id,
        version=event.version,
        employee_no=event.employee_no,
        person_kind=event.person_kind,
        documents_missing=event.documents_missing,
        first_month_wage_fen=event.first_month_wage_fen,
        spells=[
            roster.Spell(
                since=date.fromisoformat(spell.since),
                until=date.fromisoformat(spell.until) if spell.until else None,
                account_id=spell.account_id,
                department_id=spell.department_id,
                city=spell.city,
            )
            for spell in event.spells
        ],
        first_fund_member=event.first_fund_member,
    )


def _wage(event: SalaryComputed) -> Wage:
    return Wage(
        employee_id=event.employee_id,
        employer_id=event.employer_id,
        wage_month=str(LevyPeriod.parse(event.levy_period)),
        purpose=event.purpose,
        version=event.version,
        wage_fen=event.wage_fen,
        items=[PayItem(one.code, one.amount_fen, one.counts_as_wage) for one in event.items],
    )


def _bureau_month(event: BureauAck) -> postings.BureauMonth:
    return postings.BureauMonth(
        employee_id=event.employee_id,
        levy_period=event.levy_period,
        employer_id=event.employer_id,
        version=event.version,
        rows=[
            postings.BureauStage(
                insurance=row.insurance,
                stage=row.stage,
                verified_base_fen=row.verified_base_fen,
                verified_employer_fen=row.verified_employer_fen,
                verified_employee_fen=row.verified_employee_fen,
            )
            for row in event.rows
        ],
    )
