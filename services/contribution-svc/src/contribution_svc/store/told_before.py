"""What a restored store takes back of its own: rows as they were told, under their versions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text

from contribution_svc.domain.declaration import lines_hash
from contribution_svc.domain.difference import SupplementLine
from contribution_svc.domain.lines import Line, LineState
from contribution_svc.store.assessments import Assessment
from contribution_svc.store.bases import BaseRow
from contribution_svc.store.declarations import RiskBody
from contribution_svc.store.postings import Posted
from contribution_svc.store.values import columns, from_json, to_json
from shared.db import Connection
from shared.values import derived_id


@dataclass(frozen=True, slots=True)
class Approved:
    """A declaration's approval as it was told; `sums` as (employer, employee) fen."""

    declaration_id: str
    account_id: str
    levy_period: str
    version: int
    people: int
    sums: dict[str, tuple[int, int]]
    total_fen: int
    lines_hash: str
    approved_by: str
    approved_at: datetime
    number: int
    file_by: date
    debit_by: date


@dataclass(frozen=True, slots=True)
class Risk:
    """What was told of a deadline."""

    account_id: str
    levy_period: str
    version: int
    body: RiskBody


_POLICY = text(
    """
    INSERT INTO policies AS p (city, version, content_sha256, published_at)
    VALUES (:city, :version, :sha256, :told_at)
    ON CONFLICT (city) DO UPDATE
       SET version = excluded.version, content_sha256 = excluded.content_sha256,
           published_at = excluded.published_at
     WHERE p.version <= excluded.version
    """
)


async def keep_policy(
    conn: Connection, city: str, version: int, sha256: str, told_at: datetime
) -> None:
    """The version of a city's policy; `sha256` empty: what was told is not the pack that we have,
    which is told next. Without its moment what was known by then would be told again as news.
    """
    values = {"city": city, "version": version, "sha256": sha256, "told_at": told_at}
    await conn.execute(_POLICY, values)


_RELEASE = text(
    "UPDATE policy_proposals SET told = greatest(told, :version) WHERE proposal_id = :proposal_id"
)


async def keep_release(conn: Connection, proposal_id: str, version: int) -> None:
    """The version of a release's announcements."""
    await conn.execute(_RELEASE, {"proposal_id": proposal_id, "version": version})


_BASES = text(
    """
    INSERT INTO bases AS b (employee_id, contribution_year, employer_id, version, levy_period, body)
    SELECT * FROM unnest(
        CAST(:employee_id AS text[]), CAST(:contribution_year AS text[]),
        CAST(:employer_id AS text[]), CAST(:version AS bigint[]), CAST(:levy_period AS text[]),
        CAST(:body AS jsonb[]))
    ON CONFLICT (employee_id, contribution_year) DO UPDATE
       SET version = excluded.version, body = excluded.body,
           levy_period = coalesce(NULLIF(excluded.levy_period, ''), b.levy_period)
     WHERE b.version <= excluded.version
    """
)


async def keep_bases(conn: Connection, told: Sequence[BaseRow]) -> None:
    names = ("employee_id", "contribution_year", "employer_id", "version", "levy_period", "body")
    rows = (
        [to_json(one.body) if name == "body" else getattr(one, name) for name in names]
        for one in told
    )
    await conn.execute(_BASES, columns(names, rows))


_ASSESSMENTS = text(
    """
    INSERT INTO assessments AS a (employee_id, levy_period, employer_id, account_id, department_id,
                                  city, version, lines, base_explanation, policy_known_since, told,
                                  file_by, debit_by, contribution_year, policy_warnings,
                                  supplements, declared_version, rests_on, assess_at)
    SELECT n.*, coalesce(b.body->>'rule', ''), CAST(:now AS timestamptz) FROM unnest(
        CAST(:employee_id AS text[]), CAST(:levy_period AS text[]), CAST(:employer_id AS text[]),
        CAST(:account_id AS text[]), CAST(:department_id AS text[]), CAST(:city AS text[]),
        CAST(:version AS bigint[]), CAST(:lines AS jsonb[]), CAST(:base_explanation AS text[]),
        CAST(:policy_known_since AS text[]), CAST(:told AS text[]), CAST(:file_by AS date[]),
        CAST(:debit_by AS date[]), CAST(:contribution_year AS text[]),
        CAST(:policy_warnings AS jsonb[]), CAST(:supplements AS jsonb[]),
        CAST(:declared_version AS bigint[]))
        AS n(employee_id, levy_period, employer_id, account_id, department_id, city, version,
             lines, base_explanation, policy_known_since, told, file_by, debit_by,
             contribution_year, policy_warnings, supplements, declared_version)
      LEFT JOIN bases b USING (employee_id, contribution_year)
    ON CONFLICT (employee_id, levy_period) DO UPDATE
       SET account_id = excluded.account_id, department_id = excluded.department_id,
           city = excluded.city, version = excluded.version, lines = excluded.lines,
           base_explanation = excluded.base_explanation, rests_on = excluded.rests_on,
           contribution_year = excluded.contribution_year,
           policy_warnings = excluded.policy_warnings,
           policy_known_since = excluded.policy_known_since, told = excluded.told,
           file_by = excluded.file_by, debit_by = excluded.debit_by,
           supplements = excluded.supplements, declared_version = excluded.declared_version,
           assessed_at = CASE WHEN a.version = excluded.version THEN a.assessed_at END,
           assess_at = CASE WHEN a.declaration_id IS NULL THEN excluded.assess_at END
     WHERE a.version <= excluded.version
    """
)
_ASSESSED = (
    "employee_id",
    "levy_period",
    "employer_id",
    "account_id",
    "department_id",
    "city",
    "version",
    "lines",
    "base_explanation",
    "policy_known_since",
    "told",
    "file_by",
    "debit_by",
    "contribution_year",
    "policy_warnings",
    "supplements",
    "declared_version",
)
# Events of before it was told do not say from which period a base holds: what rests on it does.
_BASE_PERIODS = text(
    """
    UPDATE bases b SET levy_period = a.newest
      FROM (SELECT employee_id, contribution_year, max(levy_period) AS newest FROM assessments
             WHERE lines @> '[{"state": "due"}]' GROUP BY employee_id, contribution_year) a
     WHERE b.levy_period = '' AND b.employee_id = a.employee_id
       AND b.contribution_year = a.contribution_year
    """
)


async def keep_assessments(conn: Connection, told: Sequence[Assessment], now: datetime) -> None:
    """Assessed again at `now`: what they rest on may have changed since. Bases are kept already.

    What was told since the backup is explained by what is known now: the wages that it rests on are
    heard anew, after it was assessed.
    """
    rows = (
        [
            to_json(value) if isinstance(value := getattr(one, name), list | tuple) else value
            for name in _ASSESSED
        ]
        for one in told
    )
    await conn.execute(_ASSESSMENTS, {**columns(_ASSESSED, rows), "now": now})
    await conn.execute(_BASE_PERIODS)


_APPROVED = text(
    """
    UPDATE declarations
       SET state = 'approved', version = :version, people = :people, sums = CAST(:sums AS jsonb),
           total_fen = :total_fen, lines_hash = :lines_hash, approved_by = :approved_by,
           approved_at = :approved_at, filing_serial = :filing_serial
     WHERE declaration_id = :declaration_id AND version <= :version
    """
)
# No job opens a supplementary declaration anew: it comes back with its approval.
_SUPPLEMENTARY = text(
    """
    INSERT INTO declarations (declaration_id, employer_id, account_id, levy_period, city, file_by,
                              debit_by, due_on, opened_at, number)
    SELECT :declaration_id, employer_id, account_id, levy_period, city, :file_by, :debit_by,
           :debit_by, :approved_at, :number
      FROM declarations
     WHERE account_id = :account_id AND levy_period = :levy_period AND number = 0
    ON CONFLICT (declaration_id) DO NOTHING
    """
)
# Whoever was declared was not assessed again: their version is older than the approval.
_DECLARED = text(
    """
    SELECT a.employee_id, coalesce(NULLIF(a.declared_version, 0), a.version) AS version, a.lines,
           o.ce_time <= :approved_at AS in_time
      FROM assessments a
      LEFT JOIN outbox o ON o.aggregatetype = 'contribution.events'
                        AND o.family = 'ContributionAssessed'
                        AND o.subject = a.employee_id || '/' || a.levy_period
                        AND o.version = coalesce(NULLIF(a.declared_version, 0), a.version)
     WHERE a.account_id = :account_id AND a.levy_period = :levy_period
       AND (a.declaration_id IS NULL OR a.declaration_id = :declaration_id)
    """
)
_SUPPLEMENTED = text(
    """
    SELECT employee_id, supplements FROM assessments
     WHERE account_id = :account_id AND levy_period = :levy_period AND supplements <> '[]'
    """
)
_FREEZE = text(
    """
    UPDATE assessments
       SET declaration_id = coalesce(declaration_id, :declaration_id), assess_at = NULL,
           compare_at = :approved_at
     WHERE levy_period = :levy_period AND employee_id = ANY(:ids)
    """
)


async def keep_approval(conn: Connection, told: Approved) -> bool:
    """Keeps the approval and freezes who was declared; False if the assessments that are told do
    not make the hash that was approved.
    """
    values = {name: getattr(told, name) for name in Approved.__slots__}
    values["sums"] = to_json(told.sums)
    values["filing_serial"] = str(derived_id("filing", told.declaration_id, told.version))
    if told.number:
        await conn.execute(_SUPPLEMENTARY, values)
    await conn.execute(_APPROVED, values)
    for found in await _declared(conn, told, values):
        if lines_hash(found.items()) == told.lines_hash:
            await conn.execute(_FREEZE, {**values, "ids": list(found)})
            return True
    return False


async def _declared(
    conn: Connection, told: Approved, values: Mapping[str, object]
) -> list[dict[str, int]]:
    """Who may have been declared, each with the version under which they were: more than one answer
    where it cannot be told yet.
    """
    if told.number:
        lines = (
            (row.employee_id, line)
            for row in await conn.execute(_SUPPLEMENTED, values)
            for line in from_json(row.supplements, list[SupplementLine])
        )
        of_this = told.declaration_id
        return [{who: x.declared_version for who, x in lines if x.declaration_id == of_this}]
    rows = [row for row in await conn.execute(_DECLARED, values) if _is_due(row.lines)]
    return [
        {row.employee_id: row.version for row in found}
        for found in (rows, [row for row in rows if row.in_time])
    ]


def _is_due(lines: object) -> bool:
    return any(line.state is LineState.DUE for line in from_json(lines, list[Line]))


_POSTINGS = text(
    """
    INSERT INTO postings AS p (employee_id, levy_period, employer_id, account_id, declaration_id,
                               city, version, lines)
    SELECT * FROM unnest(
        CAST(:employee_id AS text[]), CAST(:levy_period AS text[]), CAST(:employer_id AS text[]),
        CAST(:account_id AS text[]), CAST(:declaration_id AS text[]), CAST(:city AS text[]),
        CAST(:version AS bigint[]), CAST(:lines AS jsonb[]))
    ON CONFLICT (employee_id, levy_period) DO UPDATE
       SET account_id = excluded.account_id, declaration_id = excluded.declaration_id,
           city = excluded.city, version = excluded.version, lines = excluded.lines
     WHERE p.version <= excluded.version
    """
)


async def keep_postings(conn: Connection, told: Sequence[Posted]) -> None:
    names = (
        "employee_id",
        "levy_period",
        "employer_id",
        "account_id",
        "declaration_id",
        "city",
        "version",
        "lines",
    )
    rows = (
        [to_json(one.lines) if name == "lines" else getattr(one, name) for name in names]
        for one in told
    )
    await conn.execute(_POSTINGS, columns(names, rows))


_RISK = text(
    """
    UPDATE declarations SET risk_version = :version, risk = CAST(:body AS jsonb)
     WHERE account_id = :account_id AND levy_period = :levy_period AND number = 0
       AND risk_version <= :version
    """
)


async def keep_risk(conn: Connection, told: Risk) -> None:
    values = {name: getattr(told, name) for name in ("account_id", "levy_period", "version")}
    await conn.execute(_RISK, {**values, "body": to_json(told.body)})
