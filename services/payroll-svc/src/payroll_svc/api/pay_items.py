"""Pay items, and what HR enters under them: standing items of a person, entries of a month."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field

from payroll_svc.api.callers import (
    Cursor,
    Day,
    Hr,
    HrOrEmployee,
    LevyPeriodIn,
    LevyPeriodText,
    Limit,
    Once,
    OneLine,
    Strict,
    of_employer,
)
from payroll_svc.domain.pay_items import HIGHEST_AMOUNT_FEN, Entry, PayItem, Standing
from payroll_svc.policy import Rules
from payroll_svc.usecases.entering import (
    add_pay_item,
    enter_month,
    enter_standing,
    entries_of,
    pay_items_of,
    standing_of,
)
from shared.clock import Clock
from shared.db import Engine, tenant
from shared.http_writes import Page, cursor_of, cursor_values, once

_MOST_QUANTITY = 10_000_000_000
"""10 million pieces, in thousandths."""

ItemCode = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,39}$", examples=["night_allowance"])]
Amount = Annotated[int, Field(ge=0, le=HIGHEST_AMOUNT_FEN, examples=[30_000])]


class PayItemBody(Strict):
    """`rate_ppm` multiplies the hourly or daily wage of `hours` and `days`; who says that an item
    does not count as wage or is not taxed names the law in `law`.
    """

    code: ItemCode
    name: OneLine = Field(examples=["夜班津贴"])
    way: Literal["amount", "pieces", "hours", "days"] = "amount"
    part: Literal["gross", "after_tax"] = "gross"
    deducts: bool = False
    counts_as_wage: bool = True
    taxed: bool = True
    by_days: bool = False
    rate_ppm: int = Field(default=1_000_000, ge=1, le=10_000_000)
    law: OneLine = Field(examples=["《关于工资总额组成的规定》第四条"])


class PayItemIn(PayItemBody):
    employer_id: str = Field(max_length=64)


class PayItemOut(PayItemBody):
    """An item of the catalogue. `after_tax` items count neither as wage nor as taxed income."""


class StandingBody(Strict):
    """What the person gets every month from `since` on; 0 ends it."""

    code: ItemCode = Field(examples=["base_salary"])
    since: Day = Field(examples=["2026-03-16"])
    amount_fen: Amount = Field(examples=[2_640_000])
    until: Day | None = None


class StandingIn(Strict):
    items: list[StandingBody] = Field(min_length=1, max_length=200)


_NOTES = "What HR should know: paid months that the next run no more makes good."


class StandingOut(Strict):
    """All standing items of a person, each code's in the order of its days."""

    items: list[StandingBody]
    notes: list[str] = Field(default_factory=list, description=_NOTES)


class EntryBody(Strict):
    """An amount, or a quantity in thousandths (pieces, hours, days) and for pieces a unit price in
    hundredths of a fen. All 0 takes the entry back.
    """

    employee_id: str = Field(max_length=64)
    code: ItemCode = Field(examples=["piece_pay"])
    amount_fen: Amount = 0
    quantity_thousandths: int = Field(default=0, ge=0, le=_MOST_QUANTITY, examples=[1_200_000])
    unit_price_fen_hundredths: int = Field(default=0, ge=0, le=_MOST_QUANTITY, examples=[1_250])


class EntriesIn(Strict):
    employer_id: str = Field(max_length=64)
    levy_period: LevyPeriodIn
    entries: list[EntryBody] = Field(min_length=1, max_length=2_000)


class EntriesOut(Strict):
    taken_in: int = Field(examples=[1])
    notes: list[str] = Field(default_factory=list, description=_NOTES)


def routes(engine: Engine, clock: Clock, rules: Rules) -> APIRouter:
    router = APIRouter(tags=["pay items"])
    _add_catalogue(router, engine, clock, rules)
    _add_standing(router, engine, clock, rules)
    _add_entries(router, engine, clock, rules)
    return router


def _add_catalogue(router: APIRouter, engine: Engine, clock: Clock, rules: Rules) -> None:
    @router.get("/pay-items")
    async def list_pay_items(employer_id: str, caller: Hr) -> list[PayItemOut]:
        """The statutory items and the employer's own, by code."""
        async with tenant(engine, of_employer(caller, employer_id)) as conn:
            items = await pay_items_of(conn, rules, employer_id)
        return [PayItemOut.model_validate(item, from_attributes=True) for item in items]

    @router.post("/pay-items", status_code=201)
    async def create_pay_item(body: PayItemIn, caller: Hr, write: Once) -> PayItemOut:
        """Adds an item of the employer's own. It cannot be changed: what was paid by it keeps its
        meaning.
        """
        mine = of_employer(caller, body.employer_id)
        given = body.model_dump(exclude={"employer_id"})
        if body.part == "after_tax":
            given |= {"counts_as_wage": False, "taxed": False}

        async def act() -> PayItemOut:
            own = PayItem(**given)
            item = await add_pay_item(conn, rules, body.employer_id, own, clock.now())
            return PayItemOut.model_validate(item, from_attributes=True)

        async with tenant(engine, mine) as conn:
            return await once(conn, caller, write, PayItemOut, act)


def _add_standing(router: APIRouter, engine: Engine, clock: Clock, rules: Rules) -> None:
    @router.get("/employees/{employee_id}/standing-items")
    async def list_standing_items(employee_id: str, caller: HrOrEmployee) -> StandingOut:
        """What the person gets every month, and got: agreed wages with their first days."""
        async with tenant(engine, caller) as conn:
            return _standing_out(await standing_of(conn, employee_id))

    @router.post("/employees/{employee_id}/standing-items")
    async def enter_standing_items(
        employee_id: str, body: StandingIn, caller: Hr, write: Once
    ) -> StandingOut:
        """Adds standing items, or corrects those of the same code and first day. A day in a month
        that is paid makes a difference in the next run, or in a correction run: `notes` say which
        months are too far back for the next run.
        """
        items = [Standing(**item.model_dump()) for item in body.items]

        async def act() -> StandingOut:
            known, notes = await enter_standing(
                conn, rules, employee_id, items, caller.sub, clock.now()
            )
            return _standing_out(known, notes)

        async with tenant(engine, caller) as conn:
            return await once(conn, caller, write, StandingOut, act)


def _add_entries(router: APIRouter, engine: Engine, clock: Clock, rules: Rules) -> None:
    @router.get("/entries")
    async def list_entries(
        employer_id: str,
        levy_period: LevyPeriodText,
        caller: Hr,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[EntryBody]:
        """What was entered for a month, by employee and code."""
        place = cursor_values(cursor, 2)
        after = (place[0], place[1]) if place else None
        async with tenant(engine, of_employer(caller, employer_id)) as conn:
            found = await entries_of(conn, employer_id, levy_period, after, limit)
        items = [_entry_out(employee_id, entry) for employee_id, entry in found]
        last = items[-1] if len(items) == limit else None
        return Page(
            items=items, next_cursor=cursor_of(last.employee_id, last.code) if last else None
        )

    @router.post("/entries")
    async def enter_entries(body: EntriesIn, caller: Hr, write: Once) -> EntriesOut:
        """Takes in the entries of a month, all or none: one of the same employee and code is
        corrected. A run that was computed before is to be computed anew.
        """
        mine = of_employer(caller, body.employer_id)
        given = [
            (entry.employee_id, Entry(**entry.model_dump(exclude={"employee_id"})))
            for entry in body.entries
        ]

        async def act() -> EntriesOut:
            count, notes = await enter_month(
                conn, rules, body.employer_id, body.levy_period, given, caller.sub, clock.now()
            )
            return EntriesOut(taken_in=count, notes=list(notes))

        async with tenant(engine, mine) as conn:
            return await once(conn, caller, write, EntriesOut, act)


def _standing_out(items: list[Standing], notes: Sequence[str] = ()) -> StandingOut:
    def day(value: date | None) -> str | None:
        return value.isoformat() if value else None

    return StandingOut.model_validate(
        {
            "items": [
                {
                    "code": item.code,
                    "since": day(item.since),
                    "amount_fen": item.amount_fen,
                    "until": day(item.until),
                }
                for item in items
            ],
            "notes": list(notes),
        }
    )


def _entry_out(employee_id: str, entry: Entry) -> EntryBody:
    return EntryBody(
        employee_id=employee_id,
        code=entry.code,
        amount_fen=entry.amount_fen,
        quantity_thousandths=entry.quantity_thousandths,
        unit_price_fen_hundredths=entry.unit_price_fen_hundredths,
    )
