"""What is submitted: which lines, under which serial, in which words; and when it must not be."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bureau_sync_svc.domain import wire
from bureau_sync_svc.domain.lines import Sums
from bureau_sync_svc.domain.submissions import Kind
from shared.values import derived_id

DUE = "due"
POSTED = "posted"


@dataclass(frozen=True, slots=True)
class AssessedLine:
    """应缴 of one insurance as it was assessed; amounts in fen. `declaration_id` names the
    supplementary declaration that carries it (empty: the regular one), `declared_version` the
    assessment's version under which it was declared (0: none before the one that is held).
    """

    insurance: str
    state: str
    authority: str
    kind: str = "regular"
    base_fen: int = 0
    employer_fen: int = 0
    employee_fen: int = 0
    declaration_id: str = ""
    declared_version: int = 0


@dataclass(frozen=True, slots=True)
class Assessment:
    """One employee's assessment of one levy period, at a version."""

    employee_id: str
    version: int
    lines: tuple[AssessedLine, ...]

    def due_lines(self) -> tuple[AssessedLine, ...]:
        return tuple(line for line in self.lines if line.state == DUE)


@dataclass(frozen=True, slots=True)
class PostedLine:
    """入账 of one insurance; amounts in fen, days YYYY-MM-DD; `declaration_id` as that of the line
    that was paid.
    """

    insurance: str
    debit_state: str
    employer_fen: int
    employee_fen: int
    debited_on: str
    record_by: str
    declaration_id: str = ""


@dataclass(frozen=True, slots=True)
class SubmittedLine:
    """One line of a submission, frozen with the intent: the same serial never goes out with other
    content.
    """

    employee_id: str
    insurance: str
    authority: str
    kind: str
    sums: Sums


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a line is about, opened for as long as a request is made."""

    id_no: str
    name: str


_KIND_CODES = {"regular": wire.REGULAR, "back_payment": "20", "difference": "30"}


def lines_hash(versions: Iterable[tuple[str, int]]) -> str:
    """sha256 hex over the sorted `employee_id:version` lines, joined by newline, of everyone with a
    due line.
    """
    listed = sorted(f"{employee_id}:{version}" for employee_id, version in versions)
    return hashlib.sha256("\n".join(listed).encode()).hexdigest()


def carried_by(carrier: str, assessments: Iterable[Assessment]) -> list[Assessment]:
    """What a declaration declared: the due lines that name it, each person under the version of
    then. `carrier` is empty for the regular declaration.
    """
    found = []
    for one in assessments:
        lines = tuple(line for line in one.due_lines() if line.declaration_id == carrier)
        if lines:
            found.append(
                Assessment(one.employee_id, lines[0].declared_version or one.version, lines)
            )
    return found


def filing_serial(declaration_id: str, version: int) -> str:
    """The serial of the filing of a declaration as approved at `version`.

    At most 35 characters: it becomes the end-to-end id of the debit, and camt allows no more.
    """
    return derived_id("filing", declaration_id, version).hex


def detail_serial(filing_serial: str, authority: str) -> str:
    """The serial of the paid detail of one filing for one authority."""
    return derived_id("detail", filing_serial, authority).hex


def filing_lines(assessments: Iterable[Assessment]) -> list[SubmittedLine]:
    """Every due line, as it will be filed."""
    return [
        SubmittedLine(
            assessment.employee_id,
            line.insurance,
            line.authority,
            line.kind,
            Sums(line.base_fen, line.employer_fen, line.employee_fen),
        )
        for assessment in assessments
        for line in assessment.due_lines()
    ]


def objection(
    lines: Sequence[SubmittedLine], sums_fen: Mapping[str, Sequence[int]], total_fen: int
) -> str:
    """Why lines whose hash matches must still not be filed: no code for them, or other sums than
    approved. Empty: nothing.
    """
    for line in lines:
        if line.insurance not in wire.CODE_OF_INSURANCE or line.kind not in _KIND_CODES:
            return f"征收机构接口没有此险种或应缴类型: {line.insurance} {line.kind}"
    sums: dict[str, list[int]] = {}
    for line in lines:
        both = sums.setdefault(line.insurance, [0, 0])
        both[0] += line.sums.employer_fen
        both[1] += line.sums.employee_fen
    approved = {key: list(both) for key, both in sums_fen.items() if any(both)}
    if {key: both for key, both in sums.items() if any(both)} != approved:
        return "明细合计与批准的申报不符"
    if sum(map(sum, sums.values())) != total_fen:
        return "明细总额与批准的申报不符"
    return ""


def detail_lines(
    filed: Iterable[SubmittedLine], posted: Mapping[tuple[str, str], PostedLine]
) -> tuple[list[SubmittedLine], int]:
    """The filed lines with what the bank took for them, and how many of them are not posted yet.

    Paid is never passed on as more than was due: a second debit is an anomaly of its own, not a
    larger contribution.
    """
    lines, missing = [], 0
    for line in filed:
        paid = posted.get((line.employee_id, line.insurance))
        if paid is None or paid.debit_state != POSTED:
            missing += 1
            continue
        sums = Sums(
            line.sums.base_fen,
            min(paid.employer_fen, line.sums.employer_fen),
            min(paid.employee_fen, line.sums.employee_fen),
        )
        lines.append(
            SubmittedLine(line.employee_id, line.insurance, line.authority, line.kind, sums)
        )
    return lines, missing


def body_of(
    kind: Kind,
    serial: str,
    account_no: str,
    levy_period: str,
    debit_on: str,
    lines: Iterable[SubmittedLine],
    people: Mapping[str, Person],
) -> dict[str, object]:
    """The request's JSON: 申报 with amounts due (AAE020/AAE022), 缴费明细 with amounts paid
    (AAE080/AAE082).
    """
    month = wire.month_text(levy_period)
    employer, employee = ("AAE020", "AAE022") if kind is Kind.FILING else ("AAE080", "AAE082")
    body: dict[str, object] = {"serial": serial, "AAB001": account_no, "AAE003": month}
    if kind is Kind.FILING:
        body["debit_on"] = debit_on.replace("-", "")
    body["lines"] = [
        {
            "AAC002": people[line.employee_id].id_no,
            "AAC003": people[line.employee_id].name,
            "AAE140": wire.CODE_OF_INSURANCE[line.insurance],
            "AAE003": month,
            "AAA115": _KIND_CODES[line.kind],
            "AAE180": wire.yuan_text(line.sums.base_fen),
            employer: wire.yuan_text(line.sums.employer_fen),
            employee: wire.yuan_text(line.sums.employee_fen),
        }
        for line in sorted(lines, key=lambda line: (line.employee_id, line.insurance))
    ]
    return body
