"""异常: raised once per occurrence, changed as facts change, cleared once; and the likely cause
from the spread.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciliation_svc.domain.month import Judged, outcome_of
from reconciliation_svc.domain.verdict import Verdict
from shared.values import INSURANCE_WORDS, Insurance, Outcome, derived_id

SPREAD_SETTLES_IN = timedelta(minutes=5)
"""How long an anomaly waits before it is told.

A bulk look-up answers for an account's people one after the other: told at once, the first of them
would look like one person's trouble. The wait also swallows what the next fact explains.
"""

_AT_THE_AUTHORITY = frozenset(
    {
        Outcome.UNEXPECTED_RECORD,
        Outcome.DUPLICATE_RECORD,
        Outcome.RECORD_REJECTED,
        Outcome.ENROLMENT_INTERRUPTED,
        Outcome.BASE_DIFFERS,
        Outcome.AMOUNT_DIFFERS,
        Outcome.ARRIVED_IN_PART,
        Outcome.RECORD_MISSING,
    }
)
"""Kinds whose cause lies where records are kept; the others lie with the account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomaly:
    """One occurrence of one kind in an employee's month. `version` 0: not told yet; `tell_at` None:
    told.

    `outcomes` says what each of its insurances became, once `cleared_at` is set.
    """

    anomaly_id: str
    employer_id: str
    employee_id: str
    levy_period: str
    kind: Outcome
    occurrence: int
    version: int
    insurances: tuple[Insurance, ...]
    raised_at: datetime
    tell_at: datetime | None
    city: str
    department_id: str
    account_id: str
    authority: str
    reason: str
    cause_id: str
    likely_cause: str = "person"
    spread: int = 1
    cleared_at: datetime | None = None
    outcomes: Mapping[str, Outcome] | None = None

    @property
    def is_told(self) -> bool:
        return self.version > 0


@dataclass(frozen=True, slots=True)
class Changes:
    """What a judgement does to a month's anomalies: rows to keep as they are now, and never-told
    ones to forget.

    `told` are those of `kept` that readers must hear of at once: changed or cleared ones. New ones
    wait for their spread.
    """

    kept: tuple[Anomaly, ...] = ()
    forgotten: tuple[str, ...] = ()
    told: tuple[Anomaly, ...] = ()


def changes_of(
    judged: Judged,
    open_ones: Iterable[Anomaly],
    told_before: Mapping[Outcome, int],
    now: datetime,
    *,
    may_raise: bool,
) -> Changes:
    """`open_ones` are the month's uncleared anomalies; `told_before` counts the earlier, cleared
    ones per kind.

    `may_raise` is False while the employer, and so its cut-over, is not known.
    """
    found = judged.anomalies() if may_raise else {}
    held = {anomaly.kind: anomaly for anomaly in open_ones}
    kept: list[Anomaly] = []
    forgotten: list[str] = []
    for kind, anomaly in held.items():
        if kind in found:
            newer = _changed(anomaly, judged, found[kind])
            kept += [newer] if newer != anomaly else []
        elif anomaly.is_told:
            kept.append(_cleared(anomaly, judged, now))
        else:
            forgotten.append(anomaly.anomaly_id)
    told = tuple(anomaly for anomaly in kept if anomaly.is_told)
    for kind, verdicts in found.items():
        if kind not in held:
            kept.append(_raised(judged, kind, verdicts, told_before.get(kind, 0) + 1, now))
    return Changes(tuple(kept), tuple(forgotten), told)


def _raised(
    judged: Judged, kind: Outcome, verdicts: Sequence[Verdict], occurrence: int, now: datetime
) -> Anomaly:
    month, period = judged.month, str(judged.month.levy_period)
    authority = _authority(verdicts)
    return Anomaly(
        anomaly_id=str(derived_id("anomaly", month.employee_id, period, kind, occurrence)),
        employer_id=month.employer_id,
        employee_id=month.employee_id,
        levy_period=period,
        kind=kind,
        occurrence=occurrence,
        version=0,
        insurances=tuple(verdict.insurance for verdict in verdicts),
        raised_at=now,
        tell_at=now + SPREAD_SETTLES_IN,
        city=month.city,
        department_id=month.department_id,
        account_id=month.account_id,
        authority=authority,
        reason=_reason(verdicts),
        cause_id=cause_id(
            kind, month.employer_id, month.employee_id, period, month.account_id, authority
        ),
    )


def _changed(anomaly: Anomaly, judged: Judged, verdicts: Sequence[Verdict]) -> Anomaly:
    """Only what the insurances and their reasons say can change: the cause stays as it was told."""
    newer = replace(
        anomaly,
        insurances=tuple(verdict.insurance for verdict in verdicts),
        authority=_authority(verdicts),
        reason=_reason(verdicts),
        department_id=judged.month.department_id,
        account_id=judged.month.account_id,
        city=judged.month.city,
    )
    if newer == anomaly or not anomaly.is_told:
        return newer
    return replace(newer, version=anomaly.version + 1)


def _cleared(anomaly: Anomaly, judged: Judged, now: datetime) -> Anomaly:
    outcomes = {str(name): outcome_of(judged.verdicts, name) for name in anomaly.insurances}
    return replace(anomaly, version=anomaly.version + 1, cleared_at=now, outcomes=outcomes)


def _authority(verdicts: Sequence[Verdict]) -> str:
    """The authority of all these cells; empty where they have several."""
    names = {verdict.authority for verdict in verdicts}
    return names.pop() if len(names) == 1 else ""


def _reason(verdicts: Sequence[Verdict]) -> str:
    return "；".join(f"{INSURANCE_WORDS[v.insurance]}：{v.reason}" for v in verdicts)


def cause_id(
    kind: Outcome, employer_id: str, employee_id: str, period: str, account_id: str, authority: str
) -> str:
    """One id for all who share a cause: the kind, the authority or account at which it lies, and
    the levy period.

    What is missing of one person is nobody else's cause.
    """
    if kind is Outcome.ASSESSMENT_BLOCKED:
        return str(derived_id("cause", kind, employee_id, period))
    place = authority if authority and kind in _AT_THE_AUTHORITY else account_id
    return str(derived_id("cause", kind, employer_id, place, period))


@dataclass(frozen=True, slots=True)
class Spread:
    """How far one kind of anomaly reaches in one employer, city and levy period: counts of distinct
    values.
    """

    employees: int
    insurances: int
    authorities: int
    accounts: int


def likely_cause(kind: Outcome, authority: str, spread: Spread) -> str:
    """The code of the narrowest thing that all who are affected share: person, insurance,
    authority, account or city.
    """
    if spread.employees <= 1 or kind is Outcome.ASSESSMENT_BLOCKED:
        return "person"
    if spread.insurances == 1:
        return "insurance"
    if authority and spread.authorities == 1 and kind in _AT_THE_AUTHORITY:
        return "authority"
    return "account" if spread.accounts == 1 else "city"


def given_cause(anomaly: Anomaly, spread: Spread) -> Anomaly:
    """The anomaly as it is told first, with its likely cause and how many employees share it."""
    cause = likely_cause(anomaly.kind, anomaly.authority, spread)
    shared_by = 1 if cause == "person" else spread.employees
    return replace(anomaly, version=1, tell_at=None, likely_cause=cause, spread=shared_by)
