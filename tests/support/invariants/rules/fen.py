"""I2, fen: each side is the same in every store, and every step from assessed to filed adds up. No
tolerance.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from tests.support.invariants.facts import (
    Declaration,
    Facts,
    Line,
    Payslip,
    Submission,
    SubmittedLine,
)
from tests.support.invariants.rules.amounts import added, fen_of
from tests.support.invariants.rules.cells import CONTRIBUTION, LIVE
from tests.support.invariants.violation import states

OWNERS = {
    "assessed": "contribution_svc",
    "posted": "contribution_svc",
    "withheld": "payroll_svc",
    "filed": "bureau_sync_svc",
    "verified": "bureau_sync_svc",
    "recorded": "bureau_sync_svc",
}
"""The service that owns each side."""

READERS = {
    "assessed": ("payroll_svc", "bureau_sync_svc", "reconciliation_svc", "portal_svc"),
    "posted": ("bureau_sync_svc", "reconciliation_svc", "portal_svc"),
    "withheld": ("reconciliation_svc", "portal_svc"),
    "filed": ("reconciliation_svc", "portal_svc"),
    "verified": ("reconciliation_svc", "portal_svc"),
    "recorded": ("reconciliation_svc", "portal_svc"),
}
"""The stores that must know it too."""
FAMILIES = {
    "assessed": "ContributionAssessed",
    "posted": "ContributionPosted",
    "withheld": "PayslipIssued",
    "filed": "BureauAck",
    "verified": "BureauAck",
    "recorded": "BureauAck",
}
"""The event that tells it."""


def _added(lines: Iterable[Line]) -> dict[str, tuple[str, int, int, int]]:
    """State, base and both amounts by insurance, kinds added up: the base is the first line's that
    has one, and what is due or posted speaks for the cell.
    """
    found: dict[str, tuple[str, int, int, int]] = {}
    for line in lines:
        state, base, employer, employee = found.get(line.insurance, (line.state, 0, 0, 0))
        found[line.insurance] = (
            line.state if line.state in ("due", "posted") else state,
            base or line.base_fen,
            employer + line.employer_fen,
            employee + line.employee_fen,
        )
    return found


@states("I2")
def copy_differs(facts: Facts) -> Iterator[str]:
    """Every store that must know a line has it as its owner has it at that version: the same
    insurances, states, bases and amounts.
    """
    months: dict[tuple[str, str, str, str, int], list[Line]] = defaultdict(list)
    for line in facts.of(Line):
        months[line.store, line.side, line.employee_id, line.levy_period, line.version].append(line)
    for (store, side, employee, period, version), lines in months.items():
        owner = OWNERS[side]
        owned = months.get((owner, side, employee, period, version))
        if store == owner or owned is None:
            continue
        expected, found = _added(owned), _added(lines)
        for insurance in sorted(expected.keys() | found.keys()):
            if expected.get(insurance) != found.get(insurance):
                yield (
                    f"{side} {insurance} of employee {employee}, {period}, version {version}:"
                    f" {owner} has {expected.get(insurance)}, {store} {found.get(insurance)}"
                    " (state, base, employer and employee fen)"
                )


@states("I2")
def copy_lacks_lines(facts: Facts) -> Iterator[str]:
    """A store that holds a version of an employee's month holds its lines."""
    held = {(line.store, line.side, line.employee_id, line.levy_period) for line in facts.of(Line)}
    for owner, side, employee, period in sorted(held):
        if owner != OWNERS[side]:
            continue
        aggregate = (FAMILIES[side], f"{employee}/{period}")
        for store in READERS[side]:
            parked = (store, *aggregate) in facts.parked_aggregates
            if (store, side, employee, period) not in held and not parked:
                yield f"{store} has no {side} line of employee {employee}, {period}"


@states("I2")
def payslip_does_not_add_up(facts: Facts) -> Iterator[str]:
    """A payslip's contributions are its withheld lines, and its net is gross less contributions
    and tax, and what is added and deducted after it.
    """
    for slip in facts.of(Payslip):
        taken = slip.withheld_fen
        net = slip.gross_fen - slip.contributions_fen - slip.tax_fen + slip.after_tax_fen
        if (taken, net) != (slip.contributions_fen, slip.net_fen):
            yield (
                f"payslip of employee {slip.employee_id}, {slip.levy_period}: lines withhold"
                f" {taken} fen and the slip {slip.contributions_fen}; net must be {net} fen and is"
                f" {slip.net_fen}"
            )


@states("I2")
def declaration_does_not_add_up(facts: Facts) -> Iterator[str]:
    """An approved declaration's people, fen per insurance and payer, and total are those of the due
    lines that it froze.
    """
    due: dict[tuple[str, str, str], list[Line]] = defaultdict(list)
    for line in facts.of(Line, CONTRIBUTION):
        if line.side == "assessed" and line.state == "due":
            due[line.employee_id, line.levy_period, line.declaration_id].append(line)
    for declaration in facts.of(Declaration):
        if declaration.state != "approved":
            continue
        sums: dict[str, list[int]] = {}
        for employee in declaration.declared:
            for line in due[employee, declaration.levy_period, declaration.carrier]:
                both = sums.setdefault(line.insurance, [0, 0])
                both[0] += line.employer_fen
                both[1] += line.employee_fen
        total = sum(map(sum, sums.values()))
        expected = (len(declaration.declared), total, sums)
        found = (declaration.people, declaration.total_fen, declaration.sums)
        if expected != found:
            yield (
                f"declaration {declaration.declaration_id}, {declaration.levy_period}: its lines"
                f" come to (people, fen, [employer, employee] by insurance) {expected}, it says"
                f" {found}"
            )


@states("I2")
def filed_differs(facts: Facts) -> Iterator[str]:
    """What a declaration files for a cell is what was assessed for it there."""
    carriers = {one.declaration_id: one.carrier for one in facts.of(Declaration)}
    assessed = added(
        ((line.declaration_id, *line.cell), fen_of(line))
        for line in facts.of(Line, CONTRIBUTION)
        if line.side == "assessed" and line.state == "due"
    )
    filings = {
        one.serial: one
        for one in facts.of(Submission)
        if one.kind == "filing" and one.state in LIVE
    }
    filed = added(
        ((line.serial, line.employee_id, line.insurance), fen_of(line))
        for line in facts.of(SubmittedLine)
        if line.serial in filings
    )
    for (serial, employee, insurance), found in sorted(filed.items()):
        period = filings[serial].levy_period
        carrier = carriers.get(filings[serial].declaration_id, "")
        expected = assessed.get((carrier, employee, period, insurance), found)
        if expected != found:
            yield (
                f"{insurance} of employee {employee}, {period}: assessed {tuple(expected)}, filed"
                f" {tuple(found)} (employer and employee fen), serial {serial}"
            )
