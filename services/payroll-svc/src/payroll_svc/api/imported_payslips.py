"""Payslips of companies that keep their own payroll, as their files said them, in versions."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from payroll_svc.api.callers import Cursor, HrOrEmployee, LevyPeriodText, Limit, of_employer
from payroll_svc.domain.imported_payslips import ImportedPayslip
from payroll_svc.usecases.imported_payslips import imported_payslips_of, sources_of
from shared.db import Engine, tenant
from shared.http_writes import Page, cursor_of, cursor_values


class SaidLineOut(BaseModel):
    """One insurance as the payslip has it."""

    insurance: str = Field(examples=["pension"])
    base_fen: int = Field(examples=[950_000])
    employee_fen: int = Field(examples=[76_000])
    employer_fen: int = Field(examples=[152_000])


class ImportedPayslipOut(BaseModel):
    """One version of 已发工资条; the highest holds, and `reason` says why it followed."""

    employee_id: str
    employer_id: str
    levy_period: str = Field(examples=["2024-10"])
    version: int
    origin: str = "imported"
    payday: date
    gross_fen: int
    contributions_fen: int
    tax_fen: int
    other_fen: int
    net_fen: int
    withheld: list[SaidLineOut]
    reason: str = Field(examples=["撤销导入：上传了上个月的文件"])
    import_id: str
    issued_at: datetime
    source: str = Field(
        default="",
        description="Where all its figures come from; HR is told the row of the file.",
        examples=[
            "2024-10 各项金额均为本单位自行核算的工资条所列（文件“十月.xlsx”第 2 行，hr-li 于"
            " 2024-11-01 导入），实发 = 应发 10,000.00 − 个人社保公积金 950.00 − 个人所得税 121.50"
            " − 其他扣款 0.00 = 8,928.50。"
        ],
    )


def routes(engine: Engine) -> APIRouter:
    router = APIRouter(tags=["payslips"])

    @router.get("/imported-payslips")
    async def list_imported_payslips(
        caller: HrOrEmployee,
        employer_id: Annotated[str, Query(max_length=64)],
        levy_period: LevyPeriodText | None = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[ImportedPayslipOut]:
        """Every version, the newest levy period first; an employee gets their own only."""
        place = cursor_values(cursor, 3)
        number = int(place[2]) if place and place[2].isdecimal() else 0
        before = (place[0], place[1], number) if place else None
        async with tenant(engine, of_employer(caller, employer_id)) as conn:
            slips = await imported_payslips_of(conn, employer_id, levy_period, before, limit)
            sources = await sources_of(conn, slips, with_files=not caller.employee_id)
        last = slips[-1] if len(slips) == limit else None
        return Page(
            items=[_out(*one) for one in zip(slips, sources, strict=True)],
            next_cursor=(
                cursor_of(last.levy_period, last.employee_id, last.version) if last else None
            ),
        )

    return router


def _out(slip: ImportedPayslip, source: str) -> ImportedPayslipOut:
    shown = ImportedPayslipOut.model_validate(slip, from_attributes=True)
    return shown.model_copy(update={"source": source})
