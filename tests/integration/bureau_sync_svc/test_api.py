"""What people see over HTTP, and what they do not."""

from shared.contracts import AccountFact, EmployeeChanged, EmployerChanged, SpellFact
from tests.integration.bureau_sync_svc.world import (
    ACCOUNT,
    ACCOUNT_NO,
    EMPLOYER,
    PERIOD,
    World,
    approved,
    assessed,
    china,
    policy,
)

MONTH = {"employer_id": EMPLOYER, "levy_period": PERIOD}


def employer() -> EmployerChanged:
    account = AccountFact(
        account_id=ACCOUNT,
        account_no=ACCOUNT_NO,
        city="990100",
        collector="tax-990100",
        bank_account_ref="b1",
    )
    return EmployerChanged(
        version=1,
        employer_id=EMPLOYER,
        group_id="g1",
        name="示例科技",
        uscc="91110000600037341L",
        cut_over="2024-10",
        payday=5,
        accounts=(account,),
        departments=(),
    )


async def filed_and_looked_up(world: World) -> None:
    spell = SpellFact(since="2020-01-01", department_id="d1", city="990100", account_id=ACCOUNT)
    employee = EmployeeChanged(
        version=1,
        employee_id="e1",
        employer_id=EMPLOYER,
        employee_no="A-001",
        person_kind="regular",
        spells=(spell,),
    )
    await world.hear(employer(), employee)
    await world.approve("e1", "e2")
    await world.work(china("2024-10-08 09:00"))
    world.verify()
    world.record("e1")
    await world.work(china("2024-10-09 08:00"))


async def test_rows_in_pages(world: World) -> None:
    await filed_and_looked_up(world)
    first = await world.get("/bureau-rows", world.hr(), **MONTH, limit="1")
    (month,) = first["items"]
    assert (month["employee_id"], month["employee_no"]) == ("e1", "A-001")
    assert (month["rows"][0]["stage"], month["rows"][0]["record_employer_fen"]) == (
        "recorded",
        76_000,
    )
    second = await world.get(
        "/bureau-rows", world.hr(), **MONTH, limit="1", cursor=first["next_cursor"]
    )
    assert [item["employee_id"] for item in second["items"]] == ["e2"]


async def test_an_employee_sees_their_own_row_alone(world: World) -> None:
    await filed_and_looked_up(world)
    rows = await world.get("/bureau-rows", world.employee("e2"), **MONTH)
    assert [item["employee_id"] for item in rows["items"]] == ["e2"]
    others = await world.get("/bureau-rows", world.employee("e2"), **MONTH, employee_id="e1")
    assert others["items"] == []


async def test_another_employers_hr_sees_nothing(world: World) -> None:
    await filed_and_looked_up(world)
    stranger = world.hr("employer-2")
    for path in ("/bureau-rows", "/sums", "/exchanges", "/submissions"):
        answer = await world.http.get(path, headers=stranger, params=MONTH)
        assert answer.status_code == 404, path


async def test_sums_by_insurance_and_side(world: World) -> None:
    await filed_and_looked_up(world)
    assert await world.get("/sums", world.hr(), **MONTH) == {
        "filed": {"medical": {"employer_fen": 152_000, "employee_fen": 38_000}},
        "verified": {"medical": {"employer_fen": 152_000, "employee_fen": 38_000}},
        "recorded": {"medical": {"employer_fen": 76_000, "employee_fen": 19_000}},
    }


async def test_the_sync_log_in_pages_and_for_one_employee(world: World) -> None:
    await filed_and_looked_up(world)
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await world.get(
            "/exchanges", world.hr(), employer_id=EMPLOYER, limit="2", employee_id="e1", **cursor
        )
        seen += [item["operation"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert sorted(seen) == ["ask_filing", "look_up", "send_filing"]
    nobody = await world.get("/exchanges", world.hr(), employer_id=EMPLOYER, employee_id="e9")
    assert nobody["items"] == []


async def test_what_waits_says_for_what(world: World) -> None:
    await world.hear(approved("e1"))
    await world.work(china("2024-10-08 09:00"))
    page = await world.get("/submissions", world.hr(), **MONTH)
    (waiting,) = page["items"]
    assert (waiting["kind"], waiting["state"], waiting["next_at"]) == ("filing", "waiting", None)
    assert waiting["reason"] == "持有 0 人的应缴明细, 批准的申报为 1 人, 版本尚不一致"


async def test_hr_asks_for_a_look_up_once(world: World) -> None:
    await filed_and_looked_up(world)
    world.record("e2")
    world.clock.set(china("2024-10-09 10:00"))
    body = {"account_id": ACCOUNT, "levy_period": PERIOD}
    headers = {**world.hr(), "Idempotency-Key": "k1"}
    answers = [await world.http.post("/look-ups", headers=headers, json=body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["look_ups"] == [
        {"authority": "medical-990100", "due_at": "2024-10-09T02:00:00Z"}
    ]
    await world.work(china("2024-10-09 10:00"))
    assert (await world.row("e2")).stage == "recorded"


async def test_a_look_up_before_the_filing_does_not_end_the_daily_ones(world: World) -> None:
    """Nothing is filed yet, so one look is all; from the filing on it is daily like any other."""
    await world.hear(employer(), policy(), world.sealed("e1"), assessed("e1"))
    headers = {**world.hr(), "Idempotency-Key": "k1"}
    body = {"account_id": ACCOUNT, "levy_period": PERIOD}
    await world.http.post("/look-ups", headers=headers, json=body)
    await world.work(china("2024-10-08 09:00"))
    (look_up,) = await world.query("SELECT next_at FROM look_ups")
    assert look_up.next_at is None
    await world.hear(approved("e1"))
    await world.work(china("2024-10-08 09:01"))
    (look_up,) = await world.query("SELECT next_at FROM look_ups")
    assert look_up.next_at == china("2024-10-09 08:00")


async def test_another_accounts_look_up_is_not_found(world: World) -> None:
    await filed_and_looked_up(world)
    headers = {**world.hr("employer-2"), "Idempotency-Key": "k1"}
    body = {"account_id": ACCOUNT, "levy_period": PERIOD}
    answer = await world.http.post("/look-ups", headers=headers, json=body)
    assert (answer.status_code, answer.json()["type"]) == (
        404,
        "urn:daozhang:problem:account-month-unknown",
    )


async def test_operators_see_parties_and_no_persons(world: World) -> None:
    await filed_and_looked_up(world)
    operator = world.issuer.headers("op", ["operator"])
    parties = await world.get("/authorities", operator)
    assert [item["party"] for item in parties["items"]] == ["medical-990100", "tax-990100"]
    denied = await world.http.get("/bureau-rows", headers=operator, params=MONTH)
    assert denied.status_code == 403
