"""SQL: what we filed and took from the bank, and the journals of those to whom we talked."""

from tests.support.invariants.collect.query import Queries, Query
from tests.support.invariants.facts import (
    AuthorityRecord,
    BankEntry,
    Declaration,
    Entry,
    OwnAccount,
    Received,
    ReceivedLine,
    Submission,
    SubmittedLine,
)

_PERIOD = "left(month, 4) || '-' || right(month, 2)"

QUERIES: Queries = {
    "contribution_svc": (
        Query(
            Declaration,
            """
            SELECT declaration_id, employer_id, account_id, levy_period, state, people, total_fen,
                   sums, ARRAY(
                       SELECT a.employee_id FROM assessments a
                        WHERE CASE WHEN d.number = 0 THEN a.declaration_id = d.declaration_id
                                   ELSE a.supplements @> jsonb_build_array(
                                       jsonb_build_object('declaration_id', d.declaration_id))
                              END),
                   number
              FROM declarations d
            """,
        ),
        Query(
            Entry,
            """
            SELECT entry_id, account_ref, amount_fen, is_debit, is_return, voucher, state, reason,
                   declaration_id, scope, insurance, employee_id FROM entries
            """,
        ),
    ),
    "bureau_sync_svc": (
        Query(OwnAccount, "SELECT account_no FROM accounts"),
        Query(
            Submission,
            """
            SELECT serial, kind, declaration_id, account_no, levy_period, party, state, since,
                   next_at FROM submissions
            """,
        ),
        Query(
            SubmittedLine,
            """
            SELECT serial, row_number() OVER (PARTITION BY serial
                                                  ORDER BY employee_id, insurance, kind DESC),
                   employee_id, insurance, base_fen, employer_fen, employee_fen
              FROM submission_lines
            """,
        ),
    ),
    "sandbox": (
        Query(
            Received,
            f"""
            SELECT 'filing', party, serial, account_no, {_PERIOD}, state FROM declarations
             UNION ALL
            SELECT 'detail', d.party, d.serial, d.account_no,
                   (SELECT min({_PERIOD}) FROM detail_lines l
                     WHERE l.party = d.party AND l.serial = d.serial),
                   CASE WHEN text = '' THEN 'taken' ELSE 'refused' END FROM details d
            """,  # noqa: S608
        ),
        Query(
            ReceivedLine,
            f"""
            SELECT 'filing', party, serial, line_no, id_no, insurance, {_PERIOD}, base_fen,
                   employer_fen, employee_fen, dropped_by IS NULL FROM declaration_lines
             UNION ALL
            SELECT 'detail', party, serial, line_no, id_no, insurance, {_PERIOD}, base_fen,
                   employer_fen, employee_fen, dropped_by IS NULL FROM detail_lines
            """,  # noqa: S608
        ),
        Query(
            AuthorityRecord,
            """
            SELECT r.party, r.account_no, r.id_no, r.insurance,
                   left(r.month, 4) || '-' || right(r.month, 2), r.month_end <> r.month, r.kind,
                   r.base_fen, r.employer_fen, r.employee_fen, r.flag, l.book_at
              FROM records r LEFT JOIN detail_lines l USING (party, serial, line_no)
            """,
        ),
        Query(
            BankEntry,
            """
            SELECT account_ref, day, amount_fen, direction, status, voucher, end_to_end,
                   EXISTS (SELECT 1 FROM statements s
                            WHERE s.account_ref = e.account_ref AND s.day = e.day)
              FROM bank_entries e
            """,
        ),
    ),
}
