"""What counts as personal, and what only looks like it."""

from sandbox.case.files import identity_number
from tests.support.invariants.collect.canaries import Canaries, identity_numbers, masked
from tests.support.invariants.facts import Employee, Employer

NUMBER = identity_number(1, 1990)
EMPLOYEE = "0406ad93-1dec-5393-bbd4-95527895585e"
CANARIES = Canaries.of(
    [
        {
            Employer: [
                Employer("payroll_svc", "c1", "云帆科技", "U1", "2024-10"),
                Employer("payroll_svc", "c2", "云帆科技二厂", "U2", "2024-10"),
            ],
            Employee: [Employee("payroll_svc", EMPLOYEE, "c1")],
        }
    ],
    ["王晓"],
)


def test_an_identity_number_is_known_by_its_date_and_its_check_digit() -> None:
    wrong_check = NUMBER[:-1] + ("0" if NUMBER[-1] != "0" else "1")
    assert identity_numbers(f'{{"AAC002": "{NUMBER}"}}') == [NUMBER]
    assert identity_numbers(wrong_check) == []
    assert identity_numbers(f"a hash {NUMBER}f0, a longer number 1{NUMBER}") == []
    assert masked(NUMBER) == f"{NUMBER[:6]}…{NUMBER[-4:]}"


def test_a_name_is_found_within_a_sentence() -> None:
    assert CANARIES.named_in("养老险：王晓的记录未到账") == {"王晓"}
    assert CANARIES.named_in("晓王") == set()


def test_another_employer_is_known_by_its_title_and_by_its_people() -> None:
    assert CANARIES.others_in(f"reply to {EMPLOYEE}", "c2") == {"c1"}
    assert CANARIES.others_in(f"reply to {EMPLOYEE}", "c1") == set()
    assert CANARIES.others_in("云帆科技二厂", "c1") == {"c2"}


def test_an_employer_whose_name_is_a_part_of_anothers_is_not_found_in_it() -> None:
    assert CANARIES.others_in("云帆科技二厂", "c2") == set()
