"""Identity numbers: check digit, birth date and region, with an independent library as oracle."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric

from payroll_svc.domain import identity

TODAY = date(2024, 9, 20)


def number(first: str) -> str:
    return first + identity.check_digit(first)


def fault(id_no: str, id_type: str = identity.RESIDENT) -> str:
    return identity.number_fault(id_type, id_no, TODAY)


@given(
    st.dates(date(1930, 1, 1), TODAY).map(lambda day: day.strftime("%Y%m%d")),
    st.integers(0, 999),
)
def test_a_number_with_a_right_check_digit_passes_here_and_elsewhere(born: str, seq: int) -> None:
    good = number(f"110101{born}{seq:03d}")
    assert fault(good) == ""
    assert ric.is_valid(good)


@given(st.integers(0, 999), st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(seq: int, place: int, shift: int) -> None:
    good = number(f"11010119900307{seq:03d}")
    wrong = str((int(good[place]) + shift) % 10)
    assert fault(good[:place] + wrong + good[place + 1 :]) != ""


@pytest.mark.parametrize(
    ("id_no", "reason"),
    [
        ("110101900307001", "15 位"),
        ("11010119900307001", "18 位"),
        (number("11010119901332001"), "出生日期"),
        (number("11010119900230001"), "出生日期"),
        (number("11010118991231001"), "出生日期"),
        (number("11010120240921001"), "出生日期"),
        (number("99010119900307001"), "地区码"),
        (number("81000019900307001"), "地区码"),
        ("11010119900307001１", "18 位"),
    ],
)
def test_impossible_resident_numbers_say_why(id_no: str, reason: str) -> None:
    assert reason in fault(id_no)


def test_the_day_of_birth_may_be_today_but_not_tomorrow() -> None:
    tomorrow = TODAY + timedelta(days=1)
    assert fault(number(f"110101{TODAY:%Y%m%d}001")) == ""
    assert fault(number(f"110101{tomorrow:%Y%m%d}001")) != ""


@pytest.mark.parametrize(
    ("id_type", "good", "bad"),
    [
        (identity.RESIDENCE_PERMIT, number("81000019900307001"), number("11010119900307001")),
        (identity.PERMANENT_RESIDENT, number("91101019900307001"), number("11010119900307001")),
        (identity.PERMANENT_RESIDENT, "USA110090030701", "USA1100"),
        (identity.PASSPORT, "E12345678", "E12"),
        (identity.TRAVEL_PERMIT, "H12345678", "X12345678"),
        (identity.TRAVEL_PERMIT, "12345678", "1234567"),
    ],
)
def test_other_documents_have_rules_of_their_own(id_type: str, good: str, bad: str) -> None:
    assert fault(good, id_type) == ""
    assert fault(bad, id_type) != ""


@pytest.mark.parametrize(
    ("words", "id_no", "id_type"),
    [
        ("居民身份证", "", identity.RESIDENT),
        ("", number("11010119900307001"), identity.RESIDENT),
        ("", number("82000019900307001"), identity.RESIDENCE_PERMIT),
        ("passport", "E12345678", identity.PASSPORT),
        ("学生证", "1", None),
    ],
)
def test_the_document_is_named_or_told_from_the_number(
    words: str, id_no: str, id_type: str | None
) -> None:
    assert identity.id_type_of(words, id_no) == id_type
