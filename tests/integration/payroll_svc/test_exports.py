"""Exports: what is taken out can be taken in again without a change, and who took it is kept."""

from typing import Any

from payroll_svc.files.reader import read_grid
from tests.integration.payroll_svc.conftest import PayrollService
from tests.integration.payroll_svc.paying import with_people
from tests.integration.payroll_svc.test_wage_data import stage, wide
from tests.support.broken_pay_files import PAYSLIP_HEADER, WIDE_HEADER, slip_row
from tests.support.rosters import csv_file, resident_number, roster_row


def wanted(employer_id: str, kind: str, form: str, **more: object) -> dict[str, object]:
    month = {} if kind == "roster" else {"levy_period": "2024-10"}
    own = {"employer_id": employer_id, "kind": kind, "form": form, "reason": "月度核对"}
    return {**own, **month, **more}


async def export(service: PayrollService, body: dict[str, object]) -> tuple[Any, bytes]:
    """As `hr-head`, who cares for all departments."""
    headers = head(service, str(body["employer_id"]))
    asked = await service.post("/exports", headers, json=body)
    assert asked.status_code == 201, asked.text
    path = f"/exports/{asked.json()['export_id']}/file"
    answer = await service.http.get(path, headers=headers)
    assert answer.status_code == 200, answer.text
    return asked.json(), answer.content


def head(service: PayrollService, employer_id: str) -> dict[str, str]:
    return service.issuer.headers("hr-head", ["hr"], employer_ids=[employer_id])


STAFF = [
    {"sub": "hr-li", "department_codes": ["operations"]},
    {"sub": "hr-head", "department_codes": []},
]


async def test_what_goes_out_comes_in_without_a_change(service: PayrollService) -> None:
    rows = [
        roster_row(1, 邮箱="w@example.com", 银行账号="6222000011112222333", 缺少材料="劳动合同"),
        roster_row(2, 部门="销售部", 人员类别="退休返聘", 离职日期="2024-12-31"),
        roster_row(3),
    ]
    employer_id, _ = await with_people(service, *rows, hr_staff=STAFF)
    data = [wide(1, 奖金="1200.00", 计件数量="2.5", 计件单价="0.1250"), wide(2, 加班小时数=8)]
    staged = await stage(service, employer_id, csv_file(data, WIDE_HEADER))
    assert (await service.apply(employer_id, staged)).status_code == 200
    said = slip_row(其他扣款="1.00", 实发合计="8312.45")
    more = slip_row(工号="E0003", 姓名="王小四", 其他扣款="1.00", 税后补发="50", 实发合计="8362.45")
    for row, header in ((said, PAYSLIP_HEADER), (more, (*PAYSLIP_HEADER, "税后补发"))):
        paid = await service.upload(employer_id, "payslips", "p.csv", csv_file([row], header))
        assert (await service.apply(employer_id, paid.json())).status_code == 200
    counts = {"roster": 3, "wage_data": 3, "payslips": 2}
    for kind, count in counts.items():
        for form, encoding in (("xlsx", "utf-8"), ("csv", "utf-8"), ("csv", "gb18030")):
            body = wanted(employer_id, kind, form, encoding=encoding)
            asked, content = await export(service, {**body, "with_identity": kind == "roster"})
            assert asked["rows"] == count
            back = await service.upload(employer_id, kind, asked["file_name"], content)
            assert back.status_code == 201, back.text
            assert back.json()["faults"] == [], (kind, form)
            missing = {"roster": 0, "wage_data": 1, "payslips": 1}[kind]
            assert back.json()["changes"] == {
                "added": 0,
                "changed": 0,
                "unchanged": count,
                "missing": missing,
            }, (kind, form, encoding)


async def test_identities_go_out_only_to_whom_they_may(service: PayrollService) -> None:
    employer_id, _ = await with_people(service, roster_row(1), hr_staff=STAFF)
    body = wanted(employer_id, "roster", "csv", with_identity=True)
    refused = await service.post("/exports", service.hr(employer_id), json=body)
    assert refused.status_code == 403
    _, content = await export(service, {**body, "with_identity": False})
    assert resident_number(1).encode() not in content
    assert b"13800000001" not in content
    _, whole = await export(service, body)
    assert f"'{resident_number(1)}".encode() in whole
    _, book = await export(service, {**body, "form": "xlsx"})
    header, person = (row for _, row in read_grid("f", book).rows)
    assert person[list(header).index("证件号码")] == resident_number(1)
    listed = await service.http.get(
        f"/exports?employer_id={employer_id}", headers=service.hr(employer_id)
    )
    kept = [(one["asked_by"], one["reason"], one["downloads"]) for one in listed.json()["items"]]
    assert kept == [("hr-head", "月度核对", 1)] * 3
    export_id = listed.json()["items"][0]["export_id"]
    for stranger in (service.hr("another-employer"), service.hr(employer_id)):
        path = f"/exports/{export_id}/file"
        assert (await service.http.get(path, headers=stranger)).status_code == 404
    stranger = service.hr("another-employer")
    assert (await service.post("/exports", stranger, json=body)).status_code == 404
    path = f"/exports?employer_id={employer_id}"
    assert (await service.http.get(path, headers=stranger)).status_code == 404
    for broken in ({"reason": ""}, {"levy_period": "2024-10"}, {"form": "pdf"}, {"extra": 1}):
        answer = await service.post("/exports", head(service, employer_id), json={**body, **broken})
        assert answer.status_code == 422, broken
