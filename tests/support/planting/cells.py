"""Plants against I1: cells, verdicts, anomalies."""

from tests.support.planting.plant import Plant, changed, deleted

STORE = "reconciliation_svc"
DEBITED = "posted IS NOT NULL"

PLANTS = (
    Plant(
        "a cell is dropped from its month",
        "cell_missing",
        STORE,
        changed("months", "cells = cells - 0", DEBITED),
    ),
    Plant("an employee's month is deleted", "cell_missing", STORE, deleted("months", DEBITED)),
    Plant(
        "a cell that the scheme does not have counts as one of K",
        "cell_of_no_roster",
        STORE,
        changed(
            "months",
            "cells = cells || jsonb_build_array("
            "jsonb_set(cells->0, '{insurance}', '\"housing_fund\"'))",
            DEBITED,
        ),
    ),
    Plant(
        "a cell has two verdicts",
        "cell_in_two_states",
        STORE,
        changed(
            "months",
            "cells = cells || jsonb_build_array("
            "jsonb_set(cells->0, '{outcome}', '\"awaiting_record\"'))",
            DEBITED,
        ),
    ),
    Plant(
        "an outcome that no page has a word for",
        "outcome_is_no_word",
        STORE,
        changed("months", "cells = jsonb_set(cells, '{0,outcome}', '\"all_good\"')", DEBITED),
    ),
    Plant(
        "the portal shows an older verdict",
        "portal_shows_another_verdict",
        "portal_svc",
        changed(
            "months",
            "judged = jsonb_set(judged, '{cells,1,outcome}', '\"awaiting_record\"')",
            DEBITED,
        ),
    ),
    Plant(
        "the open anomaly of blocked cells is deleted",
        "anomalous_cell_without_anomaly",
        STORE,
        deleted("anomalies", "cleared_at IS NULL"),
    ),
    Plant(
        "an anomaly is open though its cells have arrived",
        "anomaly_without_cell",
        STORE,
        changed("anomalies", "cleared_at = NULL, outcomes = NULL", "kind = 'RecordMissing'"),
    ),
    Plant(
        "a period is closed with one cell less than K",
        "close_does_not_add_up",
        STORE,
        (
            "INSERT INTO period_closes SELECT min(employer_id), '2024-10', 1, 299,"
            " '{\"arrived\": 299}', '{}', now(), 'hr.chen', '' FROM months",
        ),
    ),
    Plant(
        "a declared line is missing from the filing",
        "declared_line_not_filed",
        "bureau_sync_svc",
        deleted(
            "submission_lines",
            "serial = (SELECT min(serial) FROM submissions WHERE kind = 'filing')",
        ),
    ),
    Plant(
        "an employee whose money moved was never declared",
        "debited_cell_not_declared",
        "contribution_svc",
        changed("assessments", "declaration_id = NULL", "declaration_id IS NOT NULL"),
    ),
)
