"""Who sees what: HR its employers, an employee their own, an operator the sums; another's is not
there.
"""

import pytest

from tests.integration.contribution_svc.month import (
    EMPLOYER,
    OTHER_EMPLOYER,
    PERIOD,
    WANG,
    Month,
    employee,
    employer,
)

LISTS = ("assessments", "declarations", "statements", "suspense", "sums")


def query(path: str, employer_id: str = EMPLOYER) -> str:
    return f"/{path}?employer_id={employer_id}&levy_period={PERIOD}"


@pytest.mark.parametrize("path", LISTS)
async def test_without_a_token_nothing(month: Month, path: str) -> None:
    assert (await month.get(query(path), {})).status_code == 401


@pytest.mark.parametrize("path", LISTS)
async def test_hr_of_another_employer_finds_nothing(month: Month, path: str) -> None:
    await month.open()
    other = month.hr(OTHER_EMPLOYER)
    assert (await month.get(query(path), other)).status_code == 404
    own = (await month.get(query(path, OTHER_EMPLOYER), other)).json()
    assert own.get("items", []) == []


@pytest.mark.parametrize("path", ["declarations", "statements", "suspense", "sums"])
async def test_an_employee_sees_no_sums_of_others(month: Month, path: str) -> None:
    await month.open()
    assert (await month.get(query(path), month.person())).status_code == 403


async def test_an_operator_sees_sums_and_no_person(month: Month) -> None:
    await month.open()
    sums = (await month.get(query("sums"), month.operator())).json()
    assert sums["assessed"]["medical"] == {"employer_fen": 76_000, "employee_fen": 19_000}
    for path in ("assessments", "declarations", "statements", "suspense"):
        assert (await month.get(query(path), month.operator())).status_code == 403


async def test_an_employee_sees_their_own_month_and_base(month: Month) -> None:
    await month.open(employee("other"))
    items = (await month.get(query("assessments"), month.person())).json()["items"]
    assert [item["employee_id"] for item in items] == [WANG]
    bases = (await month.get(f"/bases?employee_id={WANG}", month.person())).json()["items"]
    assert bases[0]["explanation"].startswith("上年度月均工资9,500.00元")
    others = await month.get(f"/bases?employee_id={WANG}", month.person("other"))
    assert others.status_code == 404


async def test_pages_go_on_where_the_last_one_ended(month: Month) -> None:
    await month.open(*(employee(f"e{n}") for n in range(4)))
    seen, path = [], query("assessments") + "&limit=2"
    cursor = ""
    while True:
        answer = (await month.get(path + (f"&cursor={cursor}" if cursor else ""))).json()
        seen += [item["employee_id"] for item in answer["items"]]
        cursor = answer["next_cursor"]
        if not cursor:
            break
    assert seen == ["e0", "e1", "e2", "e3", WANG]


@pytest.mark.parametrize("cursor", ["x", "WyIxIl0", "%00"])
async def test_a_cursor_of_nobody_is_malformed(month: Month, cursor: str) -> None:
    answer = await month.get(f"/statements?employer_id={EMPLOYER}&cursor={cursor}")
    assert answer.status_code == 422


async def test_another_employers_declaration_cannot_be_approved(month: Month) -> None:
    await month.open()
    declaration_id = (await month.declaration())["declaration_id"]
    path = f"/declarations/{declaration_id}/approve"
    assert (await month.post(path, month.hr(OTHER_EMPLOYER))).status_code == 404


async def test_another_employers_statement_cannot_be_uploaded(month: Month) -> None:
    await month.open()
    await month.hear(employer(employer_id=OTHER_EMPLOYER))
    content = {"employer_id": EMPLOYER}
    files = {"file": ("s.xml", b"<x/>")}
    answer = await month.post("/statements", month.hr(OTHER_EMPLOYER), data=content, files=files)
    assert answer.status_code == 404


async def test_a_policy_is_open_to_everyone_who_is_signed_in(month: Month) -> None:
    answer = await month.get("/policies/990100", month.person())
    policy = answer.json()
    medical = next(x for x in policy["insurances"] if x["insurance"] == "medical")
    assert medical["employer_rate_ppm"][0]["value"] == 80_000
    assert medical["employer_rate_ppm"][0]["source"]
    assert (await month.get("/policies/999999")).status_code == 404
    assert (await month.get("/policies/990100", {})).status_code == 401
