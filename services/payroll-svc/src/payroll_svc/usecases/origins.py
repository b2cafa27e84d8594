"""Who entered what an item of a payslip was reckoned from, or which file brought it."""

from collections.abc import Sequence
from datetime import datetime

from payroll_svc.domain.pay_items import BASE_SALARY, Noted, Standing
from payroll_svc.domain.payslip import Payslip
from payroll_svc.store import entered as entered_store
from payroll_svc.store import imports as imports_store
from payroll_svc.store import runs as runs_store
from payroll_svc.store import wage_inputs as inputs_store
from shared.clock import china_day
from shared.db import Connection
from shared.values import LevyPeriod, fen_text


async def origins_of(conn: Connection, slip: Payslip, code: str) -> list[str]:
    """In words, of the payslip's month and of those that its differences make good. What was
    entered anew since the run was computed is no origin, nor is anything of a run that is not here.
    """
    computed_at = await runs_store.computed_at(conn, slip.run_id)
    if computed_at is None:
        return []
    standing = [
        one
        for one in await entered_store.noted_standing(conn, slip.employee_id)
        if one.what.code == code and one.entered_at <= computed_at
    ]
    items = [item for item in slip.items if item.code == code]
    found: list[str] = []
    for month in dict.fromkeys(item.belongs_to or slip.levy_period for item in items):
        found += await _entered(conn, slip.employee_id, month, code, computed_at)
        found += await _standing(conn, slip, LevyPeriod.parse(month), code, standing)
    return list(dict.fromkeys(found))


async def _entered(
    conn: Connection, employee_id: str, month: str, code: str, computed_at: datetime
) -> list[str]:
    noted = await entered_store.noted_entries(conn, [employee_id], month)
    given = [
        one
        for one in noted.get(employee_id, ())
        if one.what.code == code and not one.what.is_empty and one.entered_at <= computed_at
    ]
    if not given:
        return []
    key = f"{employee_id}/{month}/{code}"
    stored = (await inputs_store.stored_inputs(conn, [employee_id], [month])).get(key)
    row = stored.item.row if stored and stored.import_id == given[0].entered_by else 0
    return [await brought(conn, given[0].entered_by, row, given[0].entered_at)]


async def _standing(
    conn: Connection,
    slip: Payslip,
    month: LevyPeriod,
    code: str,
    standing: Sequence[Noted[Standing]],
) -> list[str]:
    """Those in force in the month; the roster's wage before the first of a base salary."""
    begun = [one for one in standing if one.what.since <= month.last_day()]
    earlier = [one for one in begun if one.what.since <= month.first_day()][-1:]
    inside = [one for one in begun if one.what.since > month.first_day()]
    words = [
        f"自 {one.what.since} 起每月 {fen_text(one.what.amount_fen)}，"
        f"{await brought(conn, one.entered_by, 0, one.entered_at)}"
        for one in (*earlier, *inside)
    ]
    if code == BASE_SALARY and not earlier:
        return [f"花名册的约定月工资 {fen_text(slip.agreed_wage_fen)}", *words]
    return words


async def brought(conn: Connection, by: str, row: int, at: datetime) -> str:
    """By whom and when: `by` is a `sub`, or the import that brought it in a row of its file."""
    done = await imports_store.find_import(conn, by)
    if done is None:
        return f"{by} 于 {china_day(at)} 录入"
    place = f"第 {row} 行" if row else ""
    return f"文件“{done.upload.file_name}”{place}，{done.applied_by} 于 {china_day(at)} 导入"
