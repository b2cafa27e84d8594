"""Wages of past months: items gathered per month, and what contradicts months taken in before."""

from payroll_svc.domain.wages import MonthWage, WageItem, WageRow, by_month, wage_faults


def amount(
    row: int, month: str, fen: int, code: str = "base_salary", counts: bool = True
) -> WageRow:
    return WageRow(row, "id-1", "E1", month, code, fen, counts)


def test_items_add_up_and_only_some_count_as_wage() -> None:
    rows = [
        amount(2, "2023-01", 900_000),
        amount(3, "2023-01", 30_000, "travel_allowance", counts=False),
        amount(4, "2023-02", 800_000),
    ]
    january, february = by_month(rows)
    assert (january.gross_fen, january.wage_fen) == (930_000, 900_000)
    assert (february.wage_month, february.wage_fen) == ("2023-02", 800_000)


def test_a_month_is_the_same_in_whatever_order_its_items_come() -> None:
    rows = [amount(2, "2023-01", 1), amount(3, "2023-01", 2, "bonus")]
    assert by_month(rows) == by_month(rows[::-1])


def test_other_amounts_for_a_known_month_are_faults_and_equal_ones_are_not() -> None:
    known = {
        ("id-1", month): MonthWage("id-1", month, (WageItem("base_salary", 900_000),), 1)
        for month in ("2023-01", "2023-02")
    }
    rows = [amount(2, "2023-01", 900_000), amount(2, "2023-02", 1), amount(2, "2023-03", 5)]
    [fault] = wage_faults(rows, known)
    assert (fault.row, fault.value) == (2, "2023-02")
