"""SQL: who is on the roster, what every store says of each line, and the verdicts."""

from tests.support.invariants.collect.query import Queries, Query
from tests.support.invariants.facts import (
    Anomaly,
    Cell,
    Close,
    Employee,
    Employer,
    Line,
    LookedUp,
    OpeningDay,
    Payslip,
    SchemeLine,
    Spell,
)


def _assessed(source: str, employer: str = "employer_id") -> Query:
    """Lines of a jsonb list; `source` gives employee, period, version and `lines`."""
    return Query(
        Line,
        f"""
        SELECT 'assessed', {employer}, employee_id, levy_period, version, l->>'insurance',
               coalesce(l->>'state', 'due'), (l->>'base_fen')::bigint,
               (l->>'employer_fen')::bigint, (l->>'employee_fen')::bigint,
               coalesce(l->>'declaration_id', '')
          FROM {source}, jsonb_array_elements(lines) l
        """,  # noqa: S608  # constants of this module
    )


def _posted(source: str) -> Query:
    return Query(
        Line,
        f"""
        SELECT 'posted', employer_id, employee_id, levy_period, version, l->>'insurance',
               l->>'debit_state', 0, (l->>'employer_fen')::bigint, (l->>'employee_fen')::bigint,
               coalesce(l->>'declaration_id', '')
          FROM {source}, jsonb_array_elements(lines) l
        """,  # noqa: S608
    )


def _withheld(source: str) -> Query:
    return Query(
        Line,
        f"""
        SELECT 'withheld', employer_id, employee_id, levy_period, version, l->>'insurance', '', 0,
               (l->>'employer_fen')::bigint, (l->>'employee_fen')::bigint
          FROM {source}, jsonb_array_elements(lines) l
        """,  # noqa: S608
    )


def _bureau(source: str) -> tuple[Query, ...]:
    """Three sides of BureauRow objects: what was filed, verified and recorded."""
    side = """
        SELECT '{side}', employer_id, employee_id, levy_period, version, l->>'insurance',
               {state}, {base}, (l->>'{name}_employer_fen')::bigint,
               (l->>'{name}_employee_fen')::bigint
          FROM {source}, jsonb_array_elements(lines) l
         WHERE l->>'{name}_employer_fen' IS NOT NULL
        """
    zero, base = "0", "coalesce((l->>'record_base_fen')::bigint, 0)"
    return (
        Query(Line, side.format(side="filed", name="filed", state="''", base=zero, source=source)),
        Query(
            Line,
            side.format(side="verified", name="verified", state="''", base=zero, source=source),
        ),
        Query(
            Line,
            side.format(
                side="recorded", name="record", state="l->>'stage'", base=base, source=source
            ),
        ),
    )


def _reconciled(side: str, version: str, state: str, base: str) -> Query:
    """A side of reconciliation-svc: jsonb by insurance, kinds added up."""
    return Query(
        Line,
        f"""
        SELECT '{side}', employer_id, employee_id, levy_period, {version}, l.insurance, {state},
               {base}, (l.line->>'employer_fen')::bigint, (l.line->>'employee_fen')::bigint
          FROM months, jsonb_each({side}->'lines') AS l(insurance, line)
         WHERE {side} IS NOT NULL
        """,  # noqa: S608
    )


def _reconciled_bureau(side: str, name: str, state: str, base: str) -> Query:
    return Query(
        Line,
        f"""
        SELECT '{side}', employer_id, employee_id, levy_period, bureau_version, l.insurance,
               {state}, {base}, (l.line->'{name}'->>0)::bigint, (l.line->'{name}'->>1)::bigint
          FROM months, jsonb_each(bureau->'lines') AS l(insurance, line)
         WHERE bureau IS NOT NULL AND jsonb_typeof(l.line->'{name}') = 'array'
        """,  # noqa: S608
    )


def _shown(side: str, lines: str = "lines") -> str:
    """portal-svc's copy of one side, under the names that the other queries use."""
    return (
        f"(SELECT employer_id, employee_id, levy_period, {side}_version AS version,"  # noqa: S608
        f" {side}->'{lines}' AS lines FROM months WHERE {side} IS NOT NULL) shown"
    )


_BUREAU_MONTHS = (
    "(SELECT employer_id, employee_id, levy_period, version,"
    " jsonb_path_query_array(told, '$.*') AS lines FROM bureau_months) told"
)
# What all payslips together withheld for a month, their own or an earlier one.
_WITHHELD = """
    (SELECT m.employer_id, m.employee_id, m.levy_period, m.version,
            coalesce(jsonb_agg(sums.line) FILTER (WHERE sums.line IS NOT NULL), '[]') AS lines
       FROM paid_months AS m LEFT JOIN LATERAL (
            SELECT jsonb_build_object(
                       'insurance', line->>'insurance',
                       'base_fen', max((line->>'base_fen')::bigint),
                       'employer_fen', sum((line->>'employer_fen')::bigint),
                       'employee_fen', sum((line->>'employee_fen')::bigint)) AS line
              FROM payslips AS s, jsonb_array_elements(s.withheld) AS line
             WHERE s.employee_id = m.employee_id
               AND coalesce(nullif(line->>'levy_period', ''), s.levy_period) = m.levy_period
             GROUP BY line->>'insurance') AS sums ON true
      GROUP BY 1, 2, 3, 4) issued
"""
_DECLARED_TOO = (
    "(SELECT employer_id, employee_id, levy_period, version, lines || supplements AS lines"
    " FROM assessments) assessed"
)
_NEWEST_POLICY = """
    SELECT DISTINCT ON (subject) subject AS city, convert_from(payload, 'UTF8')::jsonb AS body
      FROM outbox WHERE family = 'PolicyChanged' ORDER BY subject, version DESC
"""

QUERIES: Queries = {
    "payroll_svc": (
        Query(Employer, "SELECT employer_id, name, uscc, cut_over FROM employers"),
        Query(Employee, "SELECT employee_id, employer_id FROM employees"),
        Query(Spell, "SELECT employee_id, since, until, city FROM spells"),
        Query(
            Payslip,
            """
            SELECT employee_id, levy_period, gross_fen, contributions_fen, tax_fen, net_fen,
                   coalesce((SELECT sum((line->>'employee_fen')::bigint)
                               FROM jsonb_array_elements(withheld) AS line), 0),
                   coalesce((SELECT sum((item->>'amount_fen')::bigint)
                               FROM jsonb_array_elements(items) AS item
                              WHERE item->>'part' = 'after_tax'), 0)
              FROM payslips
            """,
        ),
        _withheld(_WITHHELD),
        _assessed("assessments"),
    ),
    "contribution_svc": (
        Query(
            SchemeLine,
            f"""
            SELECT city, s->>'insurance', s->>'effective_from', coalesce(s->>'ends_on', '')
              FROM ({_NEWEST_POLICY}) p, jsonb_array_elements(p.body->'scheme') s
            """,  # noqa: S608
        ),
        Query(
            OpeningDay,
            "SELECT city, d->>'effective_from', (d->>'open_day')::int, d->>'open_at'"
            " FROM policies, jsonb_array_elements(body->'days') d",
        ),
        _assessed(_DECLARED_TOO),
        _posted("postings"),
    ),
    "bureau_sync_svc": (
        Query(
            LookedUp,
            """
            SELECT employee_id, levy_period, l->>'insurance', l->>'stage',
                   nullif(l->>'looked_up_at', '')::timestamptz
              FROM bureau_months, jsonb_path_query(told, '$.*') l
            """,
        ),
        _assessed("assessments"),
        _posted("postings"),
        *_bureau(_BUREAU_MONTHS),
    ),
    "reconciliation_svc": (
        _reconciled(
            "assessed", "assessed_version", "l.line->>'state'", "(line->>'base_fen')::int8"
        ),
        _reconciled("posted", "posted_version", "l.line->>'debit_state'", "0"),
        _reconciled("withheld", "withheld_version", "''", "0"),
        _reconciled_bureau("filed", "filed_fen", "''", "0"),
        _reconciled_bureau("verified", "verified_fen", "''", "0"),
        _reconciled_bureau(
            "recorded",
            "record_fen",
            "l.line->>'stage'",
            "coalesce((line->>'record_base_fen')::int8, 0)",
        ),
        Query(
            Cell,
            """
            SELECT employer_id, employee_id, levy_period, version, c->>'insurance',
                   c->>'outcome', (c->>'extra')::boolean,
                   ARRAY(SELECT jsonb_array_elements_text(c->'annotations'))
              FROM months, jsonb_array_elements(cells) c
            """,
        ),
        Query(Close, "SELECT employer_id, levy_period, cells, states FROM period_closes"),
        Query(
            Anomaly,
            """
            SELECT anomaly_id, employer_id, employee_id, levy_period, kind, version, insurances,
                   cleared_at, '', coalesce(outcomes, '{}') FROM anomalies
            """,
        ),
    ),
    "ticket_svc": (
        Query(
            Anomaly,
            """
            SELECT anomaly_id, employer_id, employee_id, levy_period, kind, version, insurances,
                   cleared_at, ticket_id, '{}'::jsonb FROM anomalies
            """,
        ),
    ),
    "portal_svc": (
        _assessed(_shown("assessed")),
        _posted(_shown("posted")),
        _withheld(_shown("payslip", "withheld")),
        *_bureau(_shown("bureau", "rows")),
        Query(
            Cell,
            """
            SELECT employer_id, employee_id, levy_period, judged_version, c->>'insurance',
                   c->>'outcome', (c->>'extra')::boolean,
                   ARRAY(SELECT jsonb_array_elements_text(c->'annotations'))
              FROM months, jsonb_array_elements(judged->'cells') c
            """,
        ),
    ),
}
