"""What a person declares for their income tax: special additional deductions and elections."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field

from payroll_svc.api.callers import Hr, HrOrEmployee, LevyPeriodIn, Once, Strict
from payroll_svc.domain.deductions import Deduction, TaxDeclaration
from payroll_svc.policy import Rules
from payroll_svc.usecases.entering import declaration_of, declare_tax
from payroll_svc.usecases.identities import Keys
from shared.clock import Clock, china_day
from shared.db import Engine, tenant
from shared.http_writes import once


class DeductionBody(Strict):
    """`amount_fen` is a month's, of a certificate the year's; `subject` tells children apart."""

    kind: str = Field(max_length=40, examples=["child_education"])
    since: LevyPeriodIn
    until: LevyPeriodIn | None = None
    amount_fen: int = Field(ge=1, le=100_000_000, examples=[200_000])
    subject: Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{0,20}$", examples=["child-1"])] = ""


class ElectionBody(Strict):
    tax_year: int = Field(ge=2019, le=2099, examples=[2026])
    election: Literal["first_wage_of_year", "sixty_thousand_at_once", "bonus_taxed_apart"]


class TaxDeclarationBody(Strict):
    """专项附加扣除 and elections. Without any deduction the roster's monthly sum counts."""

    deductions: list[DeductionBody] = Field(default=[], max_length=50)
    elections: list[ElectionBody] = Field(default=[], max_length=50)


def routes(engine: Engine, clock: Clock, rules: Rules, keys: Keys) -> APIRouter:
    router = APIRouter(tags=["income tax"])

    @router.get("/employees/{employee_id}/tax-declaration")
    async def get_tax_declaration(employee_id: str, caller: HrOrEmployee) -> TaxDeclarationBody:
        async with tenant(engine, caller) as conn:
            return _out(await declaration_of(conn, employee_id))

    @router.put("/employees/{employee_id}/tax-declaration")
    async def put_tax_declaration(
        employee_id: str, body: TaxDeclarationBody, caller: Hr, write: Once
    ) -> TaxDeclarationBody:
        """Keeps all that the person declares, in place of what they declared before. What comes
        late is caught up by the next payment of the year.
        """
        declared = TaxDeclaration(
            tuple(Deduction(**one.model_dump()) for one in body.deductions),
            tuple((one.tax_year, one.election) for one in body.elections),
        )

        async def act() -> TaxDeclarationBody:
            now = clock.now()
            return _out(
                await declare_tax(
                    conn, rules, keys, employee_id, declared, caller.sub, now, china_day(now)
                )
            )

        async with tenant(engine, caller) as conn:
            return await once(conn, caller, write, TaxDeclarationBody, act)

    return router


def _out(declared: TaxDeclaration) -> TaxDeclarationBody:
    return TaxDeclarationBody.model_validate(
        {
            "deductions": [
                {
                    "kind": one.kind,
                    "since": one.since,
                    "until": one.until,
                    "amount_fen": one.amount_fen,
                    "subject": one.subject,
                }
                for one in declared.deductions
            ],
            "elections": [
                {"tax_year": year, "election": election} for year, election in declared.elections
            ],
        }
    )
