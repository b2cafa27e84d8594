"""Plants against I2: one fen here or there."""

from tests.support.planting.plant import Plant, changed, deleted

PLANTS = (
    Plant(
        "a side of a cell is a fen less in reconciliation-svc",
        "copy_differs",
        "reconciliation_svc",
        changed(
            "months",
            "assessed = jsonb_set(assessed, '{lines,medical,employee_fen}',"
            " to_jsonb((assessed->'lines'->'medical'->>'employee_fen')::int - 1))",
            "posted IS NOT NULL",
        ),
    ),
    Plant(
        "two employees' postings are swapped in bureau-sync-svc",
        "copy_differs",
        "bureau_sync_svc",
        (
            "UPDATE postings p SET lines = q.lines FROM postings q,"
            " (SELECT min(employee_id) AS a, max(employee_id) AS b FROM postings) pair"
            " WHERE (p.employee_id, q.employee_id) IN ((a, b), (b, a))",
        ),
    ),
    Plant(
        "payroll-svc has lost the lines of an assessment",
        "copy_lacks_lines",
        "payroll_svc",
        changed("assessments", "lines = '[]'"),
    ),
    Plant(
        "a net wage is a fen more than the payslip allows",
        "payslip_does_not_add_up",
        "payroll_svc",
        changed("payslips", "net_fen = net_fen + 1"),
    ),
    Plant(
        "a payslip withholds a fen more than was assessed",
        "unexplained_fen",
        "payroll_svc",
        changed(
            "payslips",
            "withheld = jsonb_set(withheld, '{0,employee_fen}',"
            " to_jsonb((withheld->0->>'employee_fen')::int + 1))",
        ),
    ),
    Plant(
        "a declaration's total is a fen less than its lines",
        "declaration_does_not_add_up",
        "contribution_svc",
        changed("declarations", "total_fen = total_fen - 1", "state = 'approved'"),
    ),
    Plant(
        "a line is filed with a fen more than was assessed",
        "filed_differs",
        "bureau_sync_svc",
        changed(
            "submission_lines",
            "employer_fen = employer_fen + 1",
            "serial = (SELECT min(serial) FROM submissions WHERE kind = 'filing')",
        ),
    ),
    Plant(
        "two people's identity numbers are swapped at the collector",
        "identity_stands_for_two",
        "sandbox",
        (
            "UPDATE declaration_lines a SET id_no = b.id_no FROM declaration_lines b"
            " WHERE a.party = b.party AND a.serial = b.serial AND a.party = 'tax-990100'"
            " AND (a.line_no, b.line_no) IN ((1, 6), (6, 1))",
        ),
    ),
    Plant(
        "the collector's journal has verified a fen more",
        "verified_not_as_collector",
        "sandbox",
        changed("declaration_lines", "employee_fen = employee_fen + 1"),
    ),
    Plant(
        "the authority never booked a record that we show",
        "recorded_not_as_authority",
        "sandbox",
        deleted("records"),
    ),
    Plant(
        "the authority booked another base than we show",
        "recorded_not_as_authority",
        "sandbox",
        changed("records", "base_fen = base_fen - 100"),
    ),
    Plant(
        "the authority booked a fen more than an arrived cell has",
        "unexplained_fen",
        "sandbox",
        changed("records", "employee_fen = employee_fen + 1"),
    ),
    Plant(
        "a look-up passed over a record that was there",
        "record_not_noticed",
        "bureau_sync_svc",
        changed("bureau_months", "told = jsonb_set(told, '{medical,stage}', '\"absent\"')"),
    ),
    Plant(
        "an entry of a published statement was never taken in",
        "bank_entry_not_taken",
        "contribution_svc",
        deleted("entries"),
    ),
    Plant(
        "an entry was taken in with a fen less",
        "bank_entry_not_taken",
        "contribution_svc",
        changed("entries", "amount_fen = amount_fen - 1"),
    ),
    Plant(
        "the bank's books do not have an entry that we hold",
        "entry_not_at_bank",
        "sandbox",
        deleted("bank_entries"),
    ),
    Plant(
        "a fen of the debit is posted to nobody",
        "posted_not_as_debited",
        "contribution_svc",
        changed(
            "postings",
            "lines = jsonb_set(lines, '{0,employer_fen}',"
            " to_jsonb((lines->0->>'employer_fen')::int - 1))",
        ),
    ),
)
