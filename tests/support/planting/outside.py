"""Plants against I7 and I10: debits, submissions, strangers."""

from sandbox.case.files import identity_number
from tests.support.planting.plant import Plant, changed, deleted, doubled

STRANGER = "陌路科技有限公司"
"""The name of an employer that is not there: no row of ours may have it."""
XIAOWANG = "王晓"

FILING = "kind = 'filing'"

PLANTS = (
    Plant(
        "the bank debited a declaration a second time",
        "debited_twice",
        "sandbox",
        doubled("bank_entries", entry_id="-1", voucher="'planted'"),
    ),
    Plant(
        "a declaration has a second live filing",
        "two_live_submissions",
        "bureau_sync_svc",
        doubled("submissions", FILING, serial="'planted'"),
    ),
    Plant(
        "the collector holds a second filing of the month",
        "two_live_at_party",
        "sandbox",
        doubled("declarations", serial="'planted'"),
    ),
    Plant(
        "an authority never received a detail that it is said to hold",
        "submission_not_at_party",
        "sandbox",
        deleted("details", "party = 'hrss-990100'"),
    ),
    Plant(
        "the collector holds a filing of which we have no intent",
        "filing_of_nobody",
        "bureau_sync_svc",
        deleted("submissions", FILING),
    ),
    Plant(
        "nobody asks what became of a filing",
        "outcome_stays_unknown",
        "bureau_sync_svc",
        changed("submissions", "state = 'unknown', next_at = NULL", FILING),
    ),
    Plant(
        "the outcome of a filing is not known for weeks",
        "outcome_stays_unknown",
        "bureau_sync_svc",
        changed(
            "submissions",
            "state = 'unknown', since = '2024-10-08Z', next_at = '2024-11-05Z'",
            FILING,
        ),
    ),
    Plant(
        "an employee's month is kept under another employer",
        "row_of_another_employer",
        "reconciliation_svc",
        changed("months", "employer_id = 'another'"),
    ),
    Plant(
        "a row names another employer",
        "another_employer_named",
        "ticket_svc",
        changed("messages", f"text = '{STRANGER}'"),
    ),
    Plant(
        "an identity number rests readable",
        "identity_number_in_store",
        "contribution_svc",
        changed("entries", f"remark = '{identity_number(1, 1990)}'"),
    ),
    Plant(
        "a name rests where none may",
        "name_in_store",
        "reconciliation_svc",
        changed("anomalies", f"reason = '{XIAOWANG}的养老险'"),
    ),
)
