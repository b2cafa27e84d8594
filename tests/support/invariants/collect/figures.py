"""SQL: what was told or computed, and every store's part of it in the shape of its event."""

from tests.support.invariants.collect.query import Queries, Query
from tests.support.invariants.facts import Copy, Origin, Pack

_MONTH = "employee_id || '/' || levy_period"
_PAYSLIP = (
    "gross_fen",
    "contributions_fen",
    "special_additional_fen",
    "tax_fen",
    "net_fen",
    "income_fen",
    "employer_fen",
    "withheld",
    "items",
    "tax",
)
"""What a payroll run computes of a person, and their payslip has."""
_ISSUED = ("gross_fen", "tax_fen", "net_fen", "income_fen", "bonus_apart_fen", "bonus_tax_fen")
"""What is told of a month, all of its payslips together."""


def _object(*names: str, **renamed: str) -> str:
    parts = {**{name: name for name in names}, **renamed}
    return (
        "jsonb_build_object(" + ", ".join(f"'{name}', {sql}" for name, sql in parts.items()) + ")"
    )


def _copy(family: str, subject: str, body: str, table: str, version: str = "version") -> Query:
    """Rows at version 0 are there to be locked: nothing was told of them yet."""
    return Query(
        Copy,
        f"SELECT '{family}', {subject}, {version}, {body} FROM {table} WHERE {version} > 0",  # noqa: S608
    )


def _origin(family: str, subject: str, body: str, table: str, version: str = "1") -> Query:
    return Query(Origin, f"SELECT '{family}', {subject}, {version}, {body} FROM {table}")  # noqa: S608


def _told(*families: str) -> Query:
    """The newest of each aggregate, as it was told."""
    named = ", ".join(f"'{family}'" for family in families)
    return Query(
        Origin,
        f"""
        SELECT DISTINCT ON (family, subject) family, subject, version,
               convert_from(payload, 'UTF8')::jsonb
          FROM outbox WHERE payload IS NOT NULL AND family IN ({named})
         ORDER BY family, subject, version DESC
        """,  # noqa: S608
    )


def _shown(family: str, side: str) -> Query:
    """portal-svc keeps whole events."""
    return _copy(family, _MONTH, side, "months", f"coalesce({side}_version, 0)")


_RESTORED = "jsonb_path_exists(items, '$[*] ? (!(@.reckoning != \"\"))')"
"""Of a member whom a restored store knows from what was told: without how it was computed."""
_SUMS = ", ".join(f"sum({name})::bigint AS {name}" for name in _ISSUED)
_SLIPS = f"(SELECT employee_id, levy_period, {_SUMS} FROM payslips GROUP BY 1, 2) AS slips"  # noqa: S608
_FROM_LINES = _object("lines")
_OF_WAGES = "employee_id || '/' || wage_month || '/' || {}"
_STEP = "CASE WHEN settled_at IS NULL THEN 1 ELSE 2 END"
_OF_RELEASE = "proposal_id || '/' || employer_id"

_FEES = """
    (SELECT jsonb_object_agg(insurance, fen)
       FROM (SELECT l->>'insurance' AS insurance, sum((l->>'late_fee_fen')::bigint) AS fen
               FROM jsonb_array_elements(lines) AS l GROUP BY 1) AS fees)"""
_FEES_SHOWN = """
    (SELECT jsonb_object_agg(insurance, line->'late_fee_fen')
       FROM jsonb_each(posted->'lines') AS l(insurance, line))"""
_EFFECT = _object("people", "employer_fen", "employee_fen")
_OF_PEOPLE = """(
    SELECT proposal_id, employer_id, count(*) AS people,
           sum(employer_fen_after - employer_fen_before)::bigint AS employer_fen,
           sum(employee_fen_after - employee_fen_before)::bigint AS employee_fen
      FROM policy_effects GROUP BY 1, 2) AS added"""
_OF_EMPLOYERS = """(
    SELECT proposal_id, sum(people)::bigint AS people, sum(employer_fen)::bigint AS employer_fen,
           sum(employee_fen)::bigint AS employee_fen
      FROM policy_employer_effects GROUP BY 1) AS added"""
_SIMULATED = (
    _origin("EffectOnEmployer", _OF_RELEASE, _EFFECT, _OF_PEOPLE),
    _copy("EffectOnEmployer", _OF_RELEASE, _EFFECT, "policy_employer_effects", "1"),
    _origin("Effect", "proposal_id", _EFFECT, _OF_EMPLOYERS),
    _copy("Effect", "proposal_id", _EFFECT, "policy_proposals", "1"),
)
"""A simulation is what it lists of people and of employers."""

QUERIES: Queries = {
    "payroll_svc": (
        _told("EmployeeChanged", "SalaryComputed", "PayslipIssued"),
        _origin(
            "Computed",
            "run_id || '/' || employee_id",
            _object(*_PAYSLIP),
            "run_members JOIN payroll_runs USING (run_id)"
            f" WHERE payroll_runs.state = 'paid' AND left_out = '' AND NOT {_RESTORED}",
        ),
        _copy("Computed", "run_id || '/' || employee_id", _object(*_PAYSLIP), "payslips", "1"),
        _copy(
            "PayslipIssued",
            _MONTH,
            _object(*_ISSUED),
            f"paid_months JOIN {_SLIPS} USING (employee_id, levy_period)",
        ),
        _copy("EmployeeChanged", "employee_id", _object("first_month_wage_fen"), "employees"),
        _copy(
            "SalaryComputed",
            _OF_WAGES.format("'history'"),
            _object("gross_fen", "wage_fen", "items"),
            "wages",
        ),
        _copy("ContributionAssessed", _MONTH, _FROM_LINES, "assessments"),
    ),
    "contribution_svc": (
        _told(
            "BaseChanged",
            "ContributionAssessed",
            "ContributionPosted",
            "DeclarationApproved",
            "PolicyReleaseAnnounced",
            "ProvisionallyAssessed",
            "RefundChanged",
        ),
        _copy("EmployeeChanged", "employee_id", _object("first_month_wage_fen"), "employees"),
        _copy("SalaryComputed", _OF_WAGES.format("purpose"), _object("wage_fen", "items"), "wages"),
        _copy("BaseChanged", "employee_id || '/' || contribution_year", "body", "bases"),
        _copy("ContributionAssessed", _MONTH, _object(lines="lines || supplements"), "assessments"),
        _copy("ContributionPosted", _MONTH, _FROM_LINES, "postings"),
        _origin("LateFees", _MONTH, _FEES, "postings", "version"),
        _copy("RefundChanged", "refund_id", _object("lines", "refunded_fen"), "refunds"),
        _copy(
            "DeclarationApproved",
            "declaration_id",
            _object("people", "total_fen", sums_fen="sums"),
            "declarations",
        ),
        _copy(
            "ProvisionallyAssessed",
            "declaration_id",
            _object("last_fen", "assessed_fen", "settled_fen"),
            "provisional_assessments",
            _STEP,
        ),
        _copy(
            "PolicyReleaseAnnounced",
            _OF_RELEASE,
            _object("people", "employer_fen", "employee_fen", "declared_months"),
            "(SELECT e.*, told FROM policy_employer_effects e"
            " JOIN policy_proposals USING (proposal_id)) AS effects",
            "told",
        ),
        *_SIMULATED,
        Query(
            Pack,
            "SELECT city, version, sha256, encode(sha256(content), 'hex') FROM policy_packs",
        ),
    ),
    "bureau_sync_svc": (
        _copy("ContributionAssessed", _MONTH, _FROM_LINES, "assessments"),
        _copy("ContributionPosted", _MONTH, _FROM_LINES, "postings"),
        _copy(
            "DeclarationApproved",
            "declaration_id",
            _object("people", "total_fen", "sums_fen"),
            "declarations",
        ),
    ),
    "reconciliation_svc": (_copy("LateFees", _MONTH, _FEES_SHOWN, "months", "posted_version"),),
    "notify_svc": (
        _copy("PayslipIssued", _MONTH, _object("gross_fen", "tax_fen", "net_fen"), "payslips"),
    ),
    "portal_svc": (
        _shown("PayslipIssued", "payslip"),
        _shown("ContributionAssessed", "assessed"),
        _shown("ContributionPosted", "posted"),
        _copy("DeclarationApproved", "declaration_id", "payload", "declarations"),
    ),
}
