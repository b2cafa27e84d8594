"""I10: nobody sees what is not theirs: employers apart, personal data where it may rest."""

from collections.abc import Iterator

from tests.support.invariants.facts import (
    Anomaly,
    Cell,
    Employee,
    Facts,
    Line,
    Notice,
    Stray,
    Ticket,
)
from tests.support.invariants.violation import states


@states("I10")
def row_of_another_employer(facts: Facts) -> Iterator[str]:
    """A row about an employee belongs to the employer whom payroll-svc names."""
    owners = {one.employee_id: one.employer_id for one in facts.of(Employee)}
    rows: list[Line | Cell | Anomaly | Ticket | Notice] = [
        *facts.of(Line),
        *facts.of(Cell),
        *facts.of(Anomaly),
        *facts.of(Ticket),
        *facts.of(Notice),
    ]
    found = {
        (row.store, type(row).__name__.lower(), row.employee_id, row.employer_id)
        for row in rows
        if row.employee_id and owners.get(row.employee_id, row.employer_id) != row.employer_id
    }
    for store, kind, employee, employer in sorted(found):
        yield (
            f"{store} keeps a {kind} of employee {employee} under employer {employer}; theirs is"
            f" {owners[employee]}"
        )


def _strays(facts: Facts, kind: str, *, in_topics: bool) -> list[Stray]:
    return [
        one for one in facts.of(Stray) if one.kind == kind and (one.store == "topics") is in_topics
    ]


@states("I10")
def another_employer_named(facts: Facts) -> Iterator[str]:
    """No row of an employer names another employer or another's employee."""
    for one in _strays(facts, "employer", in_topics=False):
        yield f"{one.store}: a row of {one.place} names employer {one.what} or one of its people"


@states("I10")
def identity_number_in_store(facts: Facts) -> Iterator[str]:
    """Identity numbers rest sealed, in every store of ours."""
    for one in _strays(facts, "id_no", in_topics=False):
        yield f"{one.store}: {one.place} holds identity number {one.what} readable"


@states("I10")
def name_in_store(facts: Facts) -> Iterator[str]:
    """Names rest in the stores of payroll, bureau-sync, notify and portal only."""
    for one in _strays(facts, "name", in_topics=False):
        yield f"{one.store}: {one.place} holds the name {one.what}"


@states("I10")
def personal_data_in_topic(facts: Facts) -> Iterator[str]:
    """Events carry ids, codes and fen; no name and no identity number is in any topic."""
    for kind, word in (("id_no", "identity number"), ("name", "name")):
        for one in _strays(facts, kind, in_topics=True):
            yield f"{one.place} holds the {word} {one.what}"
