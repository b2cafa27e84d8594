"""Events of one employer's October 2024 as reconciliation-svc hears them."""

from collections.abc import Iterable

from shared.contracts import (
    AssessedLine,
    AuthorityStateChanged,
    BureauAck,
    BureauRow,
    ContributionAssessed,
    ContributionPosted,
    EmployeeChanged,
    EmployerChanged,
    PayslipIssued,
    PolicyChanged,
    PostedLine,
    SchemeFact,
    SpellFact,
    WithheldFact,
)
from shared.values import Insurance

EMPLOYER, CITY, ACCOUNT = "employer-1", "990100", "account-1"
HRSS, MEDICAL = "hrss-990100", "medical-990100"
PERIOD = "2024-10"

PENSION, HEALTH, UNEMPLOYMENT, INJURY, MATERNITY = (
    Insurance.PENSION,
    Insurance.MEDICAL,
    Insurance.UNEMPLOYMENT,
    Insurance.WORK_INJURY,
    Insurance.MATERNITY,
)
AUTHORITY = {PENSION: HRSS, UNEMPLOYMENT: HRSS, INJURY: HRSS, HEALTH: MEDICAL, MATERNITY: MEDICAL}
AMOUNTS = {
    PENSION: (152_000, 76_000),
    HEALTH: (76_000, 19_000),
    UNEMPLOYMENT: (4_750, 4_750),
    INJURY: (3_800, 0),
    MATERNITY: (7_600, 0),
}
"""Of a base of 9,500 in the article's first example city."""
BASE_FEN = 950_000


def employer(version: int = 1, cut_over: str = PERIOD) -> EmployerChanged:
    return EmployerChanged(
        version=version,
        employer_id=EMPLOYER,
        group_id="group-1",
        name="示例公司",
        uscc="91990100MA00000001",
        cut_over=cut_over,
        payday=5,
        accounts=(),
        departments=(),
    )


def employee(
    employee_id: str, version: int = 1, since: str = "2023-01-01", until: str = ""
) -> EmployeeChanged:
    spell = SpellFact(
        since=since, until=until, department_id="operations", city=CITY, account_id=ACCOUNT
    )
    return EmployeeChanged(
        version=version,
        employee_id=employee_id,
        employer_id=EMPLOYER,
        employee_no=employee_id,
        person_kind="regular",
        spells=(spell,),
    )


def policy(version: int = 1, insurances: Iterable[Insurance] = tuple(AMOUNTS)) -> PolicyChanged:
    return PolicyChanged(
        version=version,
        city=CITY,
        city_name="示例甲市",
        known_since="2024-01-01",
        collector="tax-990100",
        passes_detail_on=True,
        filing_day=15,
        debit_day=10,
        record_working_days=5,
        scheme=tuple(
            SchemeFact(
                insurance=insurance,
                effective_from="2024-01-01",
                authority=AUTHORITY[insurance],
                floor_fen=500_000,
                ceiling_fen=2_000_000,
                employer_ppm=80_000,
                employee_ppm=20_000,
            )
            for insurance in insurances
        ),
    )


def assessed(
    employee_id: str, version: int = 1, state: str = "due", reason: str = ""
) -> ContributionAssessed:
    return ContributionAssessed(
        version=version,
        employee_id=employee_id,
        employer_id=EMPLOYER,
        levy_period=PERIOD,
        city=CITY,
        account_id=ACCOUNT,
        department_id="operations",
        file_by="2024-10-09",
        debit_by="2024-10-10",
        lines=tuple(
            AssessedLine(
                insurance=insurance,
                state=state,
                authority=AUTHORITY[insurance],
                reason=reason,
                base_fen=BASE_FEN if state == "due" else 0,
                employer_fen=amounts[0] if state == "due" else 0,
                employee_fen=amounts[1] if state == "due" else 0,
            )
            for insurance, amounts in AMOUNTS.items()
        ),
    )


def posted(employee_id: str, version: int = 1, debits: int = 1) -> ContributionPosted:
    return ContributionPosted(
        version=version,
        employee_id=employee_id,
        employer_id=EMPLOYER,
        levy_period=PERIOD,
        city=CITY,
        account_id=ACCOUNT,
        declaration_id="declaration-1",
        lines=tuple(
            PostedLine(
                insurance=insurance,
                debit_state="posted",
                debits=debits,
                employer_fen=amounts[0] * debits,
                employee_fen=amounts[1] * debits,
                debited_on="2024-10-10",
                record_by="2024-10-16",
                statement_id="statement-1",
                voucher="voucher-1",
                due_on="2024-10-10",
            )
            for insurance, amounts in AMOUNTS.items()
        ),
    )


def acked(
    employee_id: str,
    version: int,
    stage: str,
    looked_up_at: str = "",
    recorded: Iterable[Insurance] = (),
) -> BureauAck:
    """Every line at `stage`, but for those in `recorded`."""
    there = set(recorded)
    return BureauAck(
        version=version,
        employee_id=employee_id,
        employer_id=EMPLOYER,
        levy_period=PERIOD,
        account_id=ACCOUNT,
        rows=tuple(
            _row(insurance, "recorded" if insurance in there else stage, looked_up_at)
            for insurance in AMOUNTS
        ),
    )


def _row(insurance: Insurance, stage: str, looked_up_at: str) -> BureauRow:
    employer_fen, employee_fen = AMOUNTS[insurance]
    is_recorded = stage == "recorded"
    return BureauRow(
        insurance=insurance,
        stage=stage,
        filed_employer_fen=employer_fen,
        filed_employee_fen=employee_fen,
        verified_base_fen=BASE_FEN if stage != "filed" else None,
        verified_employer_fen=employer_fen if stage != "filed" else None,
        verified_employee_fen=employee_fen if stage != "filed" else None,
        record_base_fen=BASE_FEN if is_recorded else None,
        record_employer_fen=employer_fen if is_recorded else None,
        record_employee_fen=employee_fen if is_recorded else None,
        records=1 if is_recorded else 0,
        recorded_on="2024-10-11" if is_recorded else "",
        looked_up_at=looked_up_at,
        authority=AUTHORITY[insurance],
    )


def payslip(employee_id: str, version: int = 1) -> PayslipIssued:
    return PayslipIssued(
        version=version,
        employee_id=employee_id,
        employer_id=EMPLOYER,
        levy_period=PERIOD,
        run_id="run-1",
        payday="2024-09-30",
        gross_fen=1_000_000,
        tax_fen=3_000,
        net_fen=897_250,
        withheld=tuple(
            WithheldFact(
                insurance=insurance,
                base_fen=BASE_FEN,
                employee_fen=amounts[1],
                employer_fen=amounts[0],
            )
            for insurance, amounts in AMOUNTS.items()
        ),
    )


def authority(
    name: str,
    version: int = 1,
    state: str = "closed",
    since: str = "2024-10-14T00:00:00+08:00",
    until: str = "2024-10-16T00:00:00+08:00",
) -> AuthorityStateChanged:
    return AuthorityStateChanged(
        version=version,
        authority=name,
        city=CITY,
        state=state,
        since=since,
        until=until,
        closures=((since, until),) if state == "closed" else (),
    )
