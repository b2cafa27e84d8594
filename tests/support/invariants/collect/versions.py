"""SQL: which version of which aggregate each store has applied, and what is due in it."""

from tests.support.invariants.collect.query import Queries, Query
from tests.support.invariants.facts import Due, Held


def _held(family: str, subject: str, table: str, version: str = "version") -> Query:
    """Rows at version 0 are there to be locked: nothing was told of them yet."""
    return Query(
        Held,
        f"SELECT DISTINCT '{family}', {subject}, {version} FROM {table} WHERE {version} > 0",  # noqa: S608
    )


_STEP = "(CASE WHEN {} IS NULL THEN 1 ELSE 2 END)"
"""The version of what is told twice: as it was made, and as it ended."""
_ENTERED = "(SELECT * FROM entered_versions WHERE what {}) AS entered"
_MONTH = "employee_id || '/' || levy_period"


def _due(job: str, moment: str, table: str) -> Query:
    return Query(Due, f"SELECT '{job}', {moment} FROM {table}")  # noqa: S608


QUERIES: Queries = {
    "payroll_svc": (
        _held("EmployerChanged", "employer_id", "employers"),
        _held("EmployeeChanged", "employee_id", "employees"),
        _held("EmployeeSealed", "employee_id", "identities"),
        _held("PayslipIssued", _MONTH, "paid_months"),
        _held(
            "PayslipIssued",
            _MONTH,
            "(SELECT employee_id, levy_period, max(version) AS version FROM imported_payslips"
            " GROUP BY 1, 2) AS imported",
        ),
        _held(
            "PayItemsChanged",
            "employer_id",
            "(SELECT employer_id, count(*) AS version FROM pay_items GROUP BY 1) AS own",
        ),
        _held("StandingItemsChanged", "employee_id", _ENTERED.format("= 'standing'")),
        _held("TaxDeclared", "employee_id", _ENTERED.format("= 'declared'")),
        _held(
            "EntriesChanged",
            "employee_id || '/' || what",
            _ENTERED.format("NOT IN ('standing', 'declared')"),
        ),
        _held(
            "PayslipReplied",
            "employee_id || '/' || run_id",
            "(SELECT employee_id, run_id, max(ordinal) AS version FROM payslip_replies"
            " GROUP BY 1, 2) AS replies",
        ),
        _held("WageDataDue", "department_id || '/' || levy_period", "wage_hand_ins"),
        _held("PeriodClosed", "employer_id || '/' || levy_period || '/close'", "period_closes"),
        _held("SalaryComputed", "employee_id || '/' || wage_month || '/history'", "wages"),
        _held(
            "SalaryComputed",
            "employee_id || '/' || levy_period || '/run'",
            # A correction tells the month's salary again, under a later version.
            "(SELECT employee_id, levy_period, max(version) AS version FROM run_members"
            " JOIN payroll_runs USING (run_id) GROUP BY 1, 2) told",
        ),
        _held("ContributionAssessed", _MONTH, "assessments"),
        _due("open_hand_ins", "min(open_at)", "wage_deadlines"),
        _due("remind_hand_ins", "min(next_at)", "wage_hand_ins"),
    ),
    "contribution_svc": (
        _held("EmployerChanged", "employer_id", "employers"),
        _held("EmployeeChanged", "employee_id", "employees"),
        _held("SalaryComputed", "employee_id || '/' || wage_month || '/' || purpose", "wages"),
        _held("BureauAck", _MONTH, "bureau_rows"),
        _held("PolicyChanged", "city", "policies"),
        _held("BaseChanged", "employee_id || '/' || contribution_year", "bases"),
        _held("ContributionAssessed", _MONTH, "assessments"),
        _held("ContributionPosted", _MONTH, "postings"),
        _held("DeclarationApproved", "declaration_id", "declarations"),
        _held(
            "DeadlineAtRisk",
            "account_id || '/' || levy_period || '/risk'",
            "declarations",
            "risk_version",
        ),
        _held(
            "PolicyReleaseAnnounced",
            "proposal_id || '/' || employer_id",
            "policy_employer_effects JOIN policy_proposals USING (proposal_id)",
            "told",
        ),
        _held(
            "DeferralChanged",
            "deferral_id",
            "deferrals",
            _STEP.format("coalesce(approved_at, refused_at)"),
        ),
        _held(
            "ProvisionallyAssessed",
            "declaration_id",
            "provisional_assessments",
            _STEP.format("settled_at"),
        ),
        _held("RefundChanged", "refund_id", "refunds"),
        _held("BaseCampaignChanged", "campaign_id", "base_campaigns", _STEP.format("closed_at")),
        _held("BaseAnswered", "campaign_id || '/' || employee_id", "base_members", "told"),
        _due("simulate_policy", "min(simulate_at)", "policy_proposals"),
        _due("release_policy", "min(release_at)", "policy_proposals"),
        _due("open_period", "min(open_at)", "accounts"),
        _due("assess", "min(assess_at)", "assessments"),
        _due("compare_declared", "min(compare_at)", "assessments"),
        _due("watch_deadlines", "min(risk_at)", "declarations"),
        _due("list_statements", "min(list_at)", "bank_accounts"),
        _due("import_statement", "min(fetch_at)", "offered_statements"),
    ),
    "bureau_sync_svc": (
        _held("EmployeeChanged", "employee_id", "employees"),
        _held("EmployeeSealed", "employee_id", "identities"),
        _held("PolicyChanged", "city", "policies"),
        _held("ContributionAssessed", _MONTH, "assessments"),
        _held("DeclarationApproved", "declaration_id", "declarations"),
        _held("ContributionPosted", _MONTH, "postings"),
        _held("BureauAck", _MONTH, "bureau_months"),
        _held("AuthorityStateChanged", "party", "parties"),
        _due("plan", "min(timestamptz '2000-01-01Z')", "account_months WHERE is_stale"),
        _due(
            "submissions",
            "min(greatest(s.next_at, p.retry_at))",
            "submissions s LEFT JOIN parties p USING (party) WHERE s.next_at IS NOT NULL",
        ),
        _due(
            "look_ups",
            "min(greatest(l.next_at, p.retry_at))",
            "look_ups l LEFT JOIN parties p ON p.party = l.authority WHERE l.next_at IS NOT NULL",
        ),
        _due("authority_states", "min(changes_at)", "parties"),
    ),
    "reconciliation_svc": (
        _held("EmployerChanged", "employer_id", "employers"),
        _held("EmployeeChanged", "employee_id", "employees"),
        _held("PolicyChanged", "city", "policies"),
        _held("AuthorityStateChanged", "authority", "authorities"),
        _held("ContributionAssessed", _MONTH, "months", "assessed_version"),
        _held("ContributionPosted", _MONTH, "months", "posted_version"),
        _held("BureauAck", _MONTH, "months", "bureau_version"),
        _held("PayslipIssued", _MONTH, "months", "withheld_version"),
        _held("CellsJudged", _MONTH, "months"),
        _held("Anomaly", "anomaly_id", "anomalies"),
        _held("PeriodClosed", "employer_id || '/' || levy_period || '/close'", "period_closes"),
        _due("open-rosters", "min(roster_due_at)", "employees"),
        _due("take-roster-requests", "min(at)", "roster_requests"),
        _due("sweep", "min(next_due_at)", "months"),
        _due("tell-anomalies", "min(tell_at)", "anomalies"),
        _due("pass-on-references of employers", "min(marked_at)", "employers"),
        _due("pass-on-references of policies", "min(marked_at)", "policies"),
        _due("pass-on-references of authorities", "min(marked_at)", "authorities"),
    ),
    "ticket_svc": (
        _held("EmployerChanged", "employer_id", "employers"),
        _held("EmployeeChanged", "employee_id", "employees"),
        _held("AuthorityStateChanged", "authority", "authorities"),
        _held("Anomaly", "anomaly_id", "anomalies"),
        _held("Ticket", "ticket_id", "tickets"),
        _due("escalate_tickets", "min(escalate_at)", "tickets"),
        _due(
            "assign_tickets",
            "min(opened_at)",
            "tickets t JOIN employers e USING (employer_id) WHERE resolved_at IS NULL"
            " AND assignee = '' AND jsonb_array_length(e.staff) > 0",
        ),
    ),
    "notify_svc": (
        _held("EmployerChanged", "employer_id", "employers"),
        _held("EmployeeSealed", "employee_id", "identities"),
        _held("PayslipIssued", _MONTH, "payslips"),
        _held("Ticket", "ticket_id", "tickets"),
        _held("Notification", "notification_id", "notifications"),
        _due("send_mail", "min(try_at)", "notifications"),
        _due(
            "tell_digests",
            "min(m.due_at)",
            "mentions m JOIN employers e USING (employer_id) WHERE m.told_at IS NULL"
            " AND NOT m.dropped AND jsonb_array_length(e.staff) > 0",
        ),
    ),
    "portal_svc": (
        _held("EmployerChanged", "employer_id", "employers"),
        _held("EmployeeChanged", "employee_id", "employees"),
        _held("EmployeeSealed", "employee_id", "identities"),
        _held("PolicyChanged", "city", "policies"),
        _held("AuthorityStateChanged", "authority", "authorities"),
        _held("DeclarationApproved", "declaration_id", "declarations"),
        _held("DeadlineAtRisk", "account_id || '/' || levy_period || '/risk'", "deadline_risks"),
        _held("PeriodClosed", "employer_id || '/' || levy_period || '/close'", "period_closes"),
        _held("PayslipIssued", _MONTH, "months", "payslip_version"),
        _held("ContributionAssessed", _MONTH, "months", "assessed_version"),
        _held("ContributionPosted", _MONTH, "months", "posted_version"),
        _held("BureauAck", _MONTH, "months", "bureau_version"),
        _held("CellsJudged", _MONTH, "months", "judged_version"),
        _held("Anomaly", "anomaly_id", "anomalies"),
        _held("Ticket", "ticket_id", "tickets"),
        _held("Notification", "notification_id", "notifications"),
    ),
    "sandbox": (_due("timers", "min(due_at)", "timers"),),
}
