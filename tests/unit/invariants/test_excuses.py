"""What is no violation: the laws on facts made by hand, where they bend and where they must not."""

from datetime import UTC, date, datetime, timedelta

from tests.support.invariants import ParkedKey, violations_of
from tests.support.invariants.facts import (
    Anomaly,
    BankEntry,
    Cell,
    Declaration,
    Employee,
    Employer,
    Facts,
    Feedback,
    Gathered,
    Given,
    Held,
    Line,
    OpeningDay,
    Parked,
    Record,
    Row,
    SchemeLine,
    Spell,
    Submission,
    Ticket,
    Told,
)

NOW = datetime(2024, 10, 20, tzinfo=UTC)
MONTH = ("e1", "2024-10")


def facts_of(*rows: Row, planted: tuple[ParkedKey, ...] = ()) -> Facts:
    """Each row in the source that its `store` names."""
    sources: dict[str, dict[type[Row], list[Row]]] = {}
    for row in rows:
        sources.setdefault(row[0], {}).setdefault(type(row), []).append(row)
    return Facts(sources, NOW, Given(planted=planted))


def names(facts: Facts) -> set[str]:
    return {violation.name for violation in violations_of(facts)}


def told(family: str, subject: str, version: int, *, sent: bool = True) -> Told:
    return Told(
        "contribution_svc",
        version,
        f"{subject}#{version}",
        "contribution.events",
        subject.split("/")[0],
        f"daozhang.{family}.v1",
        family,
        subject,
        version,
        b"content",
        NOW,
        waits=not sent,
    )


def record(subject: str, version: int, at: datetime = NOW) -> Record:
    return Record(
        "topics",
        "contribution.events",
        0,
        version,
        int(at.timestamp() * 1_000),
        "e1",
        f"{subject}#{version}",
        "BaseChanged",
        "BaseChanged",
        subject,
        version,
        b"content",
        b"hash",
    )


def held(version: int) -> list[Held]:
    """Every reader of an assessment at this version, and its owner at version 2."""
    stores = ("payroll_svc", "bureau_sync_svc", "reconciliation_svc", "portal_svc")
    readers = [Held(store, "ContributionAssessed", "e1/2024-10", version) for store in stores]
    return [*readers, Held("contribution_svc", "ContributionAssessed", "e1/2024-10", 2)]


def test_a_store_is_behind_unless_the_event_is_parked_there() -> None:
    newest = told("ContributionAssessed", "e1/2024-10", 2)
    readers = held(2)[1:]
    late = Held("payroll_svc", "ContributionAssessed", "e1/2024-10", 1)
    parked = Parked(
        "payroll_svc", "contribution.events", "e1", newest.event_id, "parked", "handler"
    )
    key = ParkedKey("payroll-svc", "contribution.events", "e1")
    assert "version_behind" in names(facts_of(newest, late, *readers))
    excused = names(facts_of(newest, late, *readers, parked, planted=(key,)))
    assert not excused & {"version_behind", "key_parked", "planted_key_not_parked"}
    assert "key_parked" in names(facts_of(newest, late, *readers, parked))


def test_a_replayed_event_excuses_nothing() -> None:
    newest = told("ContributionAssessed", "e1/2024-10", 2)
    late = Held("payroll_svc", "ContributionAssessed", "e1/2024-10", 1)
    done = Parked("payroll_svc", "contribution.events", "e1", newest.event_id, "replayed", "")
    assert "version_behind" in names(facts_of(newest, late, *held(2)[1:], done))


def test_a_rebuilt_topic_holds_the_newest_and_need_not_hold_what_was_sent_before() -> None:
    first, second = told("BaseChanged", "e1/2024", 1), told("BaseChanged", "e1/2024", 2)
    rebuilt = NOW + timedelta(hours=1)
    assert "sent_event_not_in_topic" not in names(
        facts_of(first, second, record("e1/2024", 2, rebuilt))
    )
    assert "sent_event_not_in_topic" in names(facts_of(first, second))
    before = record("e0/2024", 1, NOW - timedelta(days=1))
    assert "sent_event_not_in_topic" in names(facts_of(first, second, before))


def test_an_event_told_again_is_no_step_back_and_an_older_version_is() -> None:
    one, two = record("e1/2024", 1), record("e1/2024", 2)
    again = one._replace(offset=3)
    assert "topic_steps_back" not in names(facts_of(one, two, again))
    other = one._replace(offset=3, event_id="another id")
    assert "topic_steps_back" in names(facts_of(one, two, other))


def debits(*directions: str) -> list[Row]:
    return [
        Declaration("contribution_svc", "d1", "c1", "a1", "2024-10", "draft", 0, 0, {}, ["e1"]),
        Submission(
            "bureau_sync_svc", "s1", "filing", "d1", "A-1", "2024-10", "tax", "taken", NOW, None
        ),
        *(
            BankEntry("sandbox", "6200", date(2024, 10, 10), 100, way, "BOOK", str(n), "s1", False)
            for n, way in enumerate(directions)
        ),
    ]


def cell(outcome: str) -> Cell:
    return Cell("reconciliation_svc", "c1", *MONTH, 1, "medical", outcome, False, [])


def test_a_second_debit_is_borne_when_it_was_taken_back_or_the_cells_say_so() -> None:
    assert "debited_twice" in names(facts_of(*debits("DBIT", "DBIT"), cell("arrived")))
    assert "debited_twice" not in names(facts_of(*debits("DBIT", "CRDT", "DBIT"), cell("arrived")))
    assert "debited_twice" not in names(facts_of(*debits("DBIT", "DBIT"), cell("DuplicateDebit")))


def roster(until: date | None = None) -> list[Row]:
    return [
        Employer("payroll_svc", "c1", "甲", "U1", "2024-10"),
        Employee("payroll_svc", "e1", "c1"),
        Spell("payroll_svc", "e1", date(2024, 9, 1), until, "990100"),
        SchemeLine("contribution_svc", "990100", "medical", "2024-01-01", ""),
        SchemeLine("contribution_svc", "990100", "pension", "2025-01-01", ""),
        SchemeLine("contribution_svc", "990100", "maternity", "2024-01-01", "2024-09-30"),
        OpeningDay("contribution_svc", "990100", "2024-01-01", 25, "06:00"),
    ]


def test_k_counts_the_scheme_in_force_in_periods_that_have_opened_and_no_other() -> None:
    missing = [one for one in violations_of(facts_of(*roster())) if one.name == "cell_missing"]
    assert [one.text for one in missing] == [
        "employee e1 has no cell for medical in 2024-10: expected medical, found none"
    ]
    assert "cell_missing" not in names(facts_of(*roster(until=date(2024, 9, 30))))
    later = facts_of(*roster())
    opened = Facts(later.sources, datetime(2024, 10, 24, 22, 0, tzinfo=UTC))
    assert len([one for one in violations_of(opened) if one.name == "cell_missing"]) == 2


def line(side: str, store: str, state: str, employee_fen: int) -> Line:
    return Line(store, side, "c1", *MONTH, 1, "medical", state, 0, 76_000, employee_fen)


def test_a_difference_is_explained_by_the_outcome_or_it_is_reported() -> None:
    due = line("assessed", "contribution_svc", "due", 19_000)
    posted = line("posted", "contribution_svc", "posted", 19_000)
    withheld = line("withheld", "payroll_svc", "", 18_999)
    differs = cell("RecordMissing")._replace(annotations=["WithheldDiffers"])
    assert "unexplained_fen" not in names(facts_of(due, posted, cell("RecordMissing")))
    assert "unexplained_fen" in names(facts_of(due, posted, cell("arrived")))
    assert "unexplained_fen" in names(facts_of(due, posted, cell("awaiting_debit")))
    assert "unexplained_fen" in names(facts_of(due, cell("RecordMissing")))
    assert "unexplained_fen" in names(facts_of(due, posted, withheld, cell("RecordMissing")))
    assert "unexplained_fen" not in names(facts_of(due, posted, withheld, differs))


def ticket(*, is_open: bool, resolved_by: str = "", feedback: int = 0) -> list[Row]:
    return [
        Ticket(
            "ticket_svc",
            "t1",
            "c1",
            "e1",
            "RecordMissing",
            is_open,
            resolved_by,
            "",
            False,
            feedback,
        ),
        Gathered("ticket_svc", "t1", "a1"),
        Feedback("ticket_svc", "f1", "e1", "t1"),
    ]


def anomaly(store: str, cleared_at: datetime | None) -> Anomaly:
    return Anomaly(store, "a1", "c1", *MONTH, "RecordMissing", 1, ["medical"], cleared_at, "t1", {})


def test_a_person_may_resolve_a_ticket_that_holds_and_feedback_may_keep_one_that_has_cleared() -> (
    None
):
    holds = [anomaly("reconciliation_svc", None), anomaly("ticket_svc", None)]
    cleared = [anomaly("reconciliation_svc", NOW), anomaly("ticket_svc", NOW)]
    assert {"anomaly_without_ticket", "ticket_resolved_too_early"} <= names(
        facts_of(*holds, *ticket(is_open=False))
    )
    by_person = names(facts_of(*holds, *ticket(is_open=False, resolved_by="hr.chen")))
    assert not by_person & {"anomaly_without_ticket", "ticket_resolved_too_early"}
    assert "ticket_open_for_nothing" in names(facts_of(*cleared, *ticket(is_open=True)))
    assert "ticket_open_for_nothing" not in names(
        facts_of(*cleared, *ticket(is_open=True, feedback=1))
    )
