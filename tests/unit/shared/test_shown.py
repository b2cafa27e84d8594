"""What operators see of a parked record: ids, codes and amounts, and nobody's name or number."""

import json
from datetime import UTC, datetime

import pytest

from shared.codec import body_of, headers_of
from shared.consumer.shown import shown_body, shown_code, shown_headers, shown_text
from shared.contracts import PAYROLL
from tests.support.telling import salary

AT = datetime(2024, 9, 30, 1, 0, tzinfo=UTC)
EVENT = salary("5d41f1a2-9d4c-5c6e-8a31-0123456789ab")
HEADERS = headers_of(
    str(EVENT.event_id()), EVENT.ce_type(), "/payroll-svc", EVENT.aggregate(), AT, ""
)

ID_NO, PHONE, CARD, NAME = "110101199003070038", "13800000001", "6222020200112233", "王小二"
PERSONAL = (ID_NO, PHONE, CARD, NAME)


def shown(value: bytes, key: str = EVENT.key()) -> str:
    return shown_body(PAYROLL, key, value, HEADERS)


def test_an_event_is_shown_by_its_contract() -> None:
    body = shown(body_of(EVENT))
    assert json.loads(body)["wage_fen"] == 1_000_000
    assert EVENT.employee_id in body


def test_what_a_stranger_added_to_an_event_is_not_shown() -> None:
    added = json.loads(body_of(EVENT)) | {"who": NAME, "zhang san": "zhang san"}
    body = shown(json.dumps(added).encode())
    assert "who" not in body
    assert "zhang" not in body
    assert EVENT.employee_id in body


FOREIGN = [
    {"employee_id": "e-1", "版本": NAME, "version": "x", "id_no": ID_NO},
    {ID_NO: {"phone": PHONE, "deep": [CARD, int(CARD), NAME, f"{NAME} {PHONE}"]}},
    [int(ID_NO), int(PHONE), f"tel:{PHONE}", "6222-0202-0011-2233", "110101-19900307-0038"],
    {"name": "zhangsan", "email": "zhang@example.com", "note": "Zhang San lives here"},
]


@pytest.mark.parametrize("content", FOREIGN, ids=["flat", "as a key", "numbers", "words"])
@pytest.mark.parametrize("ascii_only", [True, False], ids=["escaped", "plain"])
def test_of_foreign_json_only_codes_are_shown(content: object, ascii_only: bool) -> None:
    body = shown(json.dumps(content, ensure_ascii=ascii_only).encode())
    unescaped = body.encode().decode("unicode_escape")
    for personal in (*PERSONAL, "zhang", "Zhang", "6222-0202", "110101-1990"):
        assert personal not in body
        assert personal not in unescaped
    json.loads(body)


def test_ids_codes_days_and_amounts_of_foreign_json_are_shown() -> None:
    content = {
        "employee_id": EVENT.employee_id,
        "levy_period": "2024-10",
        "at": "2024-10-10T18:00:00.123+08:00",
        "wage_fen": 950_000,
        "ok": True,
        "nothing": None,
    }
    assert json.loads(shown(json.dumps(content).encode())) == content


WIDE = str.maketrans("0123456789", "０１２３４５６７８９")


@pytest.mark.parametrize(
    "value",
    [
        f"{NAME},{ID_NO},{PHONE},{CARD}".encode(),
        f"{NAME},{ID_NO},{PHONE},{CARD}".encode("gb18030"),
        f"{NAME},{ID_NO},{PHONE},{CARD}".encode("utf-16"),
        f"{NAME},{ID_NO},{PHONE},{CARD}".translate(WIDE).encode(),
        b'{"version": 1, ' + f'"id_no": "{ID_NO}", "name": "{NAME}"'.encode(),
        b"[" * 5_000 + ID_NO.encode(),
        b"1" * 5_000,
    ],
    ids=["text", "GB18030", "UTF-16", "full width", "half a body", "nested", "digits"],
)
def test_of_other_bytes_no_number_and_no_name_is_left(value: bytes) -> None:
    body = shown(value)
    for personal in PERSONAL:
        assert personal not in body
        assert personal[:8] not in body.replace("\0", "").replace("\ufffd", "")
    assert len(body) <= 4_000


def test_a_long_body_is_bounded() -> None:
    assert len(shown(json.dumps(["code"] * 50_000).encode())) == 4_000


@pytest.mark.parametrize("text", [ID_NO, PHONE, NAME, "Zhang San", "a@b.example", "1" * 10, "a b"])
def test_what_may_name_a_person_is_no_code(text: str) -> None:
    assert shown_code(text) == "***"


@pytest.mark.parametrize(
    "text", [EVENT.employee_id, EVENT.aggregate(), "990100", "medical-990100", "2024-10", "/x-svc"]
)
def test_ids_and_codes_stay(text: str) -> None:
    assert shown_code(text) == text


def test_headers_and_errors_are_masked() -> None:
    strange = [("ce_id", ID_NO.encode()), (NAME, PHONE.encode()), ("ce_type", b"\xff\xfe")]
    assert shown_headers(strange) == ["ce_id: ***", "***: ***", "ce_type: ***"]
    assert f"ce_type: {EVENT.ce_type()}" in shown_headers(HEADERS)
    assert "ce_time: 2024-09-30T01:00:00Z" in shown_headers(HEADERS)
    assert shown_text(f"KeyError('{NAME}'), {ID_NO}") == "KeyError('***'), ***"
