"""What reaches a log line, and what never does."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from shared import logs
from shared.logs import new_traceparent, traceparent_now, traceparent_of, without_personal_data

IDENTITY_NUMBER = "110101199001011237"
SECRETS = {
    "an identity number": IDENTITY_NUMBER,
    "an identity number ending in X": "11010119900101123X",
    "a bank card": "6222021234567890123",
    "a mobile number": "13800138000",
}
every_secret = pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)


class Written(io.StringIO):
    """Standard output while a test runs."""

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[Written]:
    """Sets logging up as a service does."""
    written = Written()
    monkeypatch.setattr(sys, "stdout", written)
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    logs.set_up("payroll-svc", "INFO")
    yield written
    root.handlers[:] = before
    root.setLevel(level)
    structlog.contextvars.clear_contextvars()
    structlog.reset_defaults()


def test_a_line_is_one_json_object_with_service_level_and_time(written: Written) -> None:
    logs.get_logger("test").info("imported", rows=60)
    [line] = written.lines()
    assert (line["event"], line["rows"], line["level"]) == ("imported", 60, "info")
    assert line["service"] == "payroll-svc"
    assert line["timestamp"].endswith("Z")


def test_chinese_stays_readable(written: Written) -> None:
    logs.get_logger("test").info("told", outcome="未到账")
    assert "未到账" in written.getvalue()


@every_secret
def test_a_secret_number_never_reaches_a_line(secret: str, written: Written) -> None:
    log = logs.get_logger("test")
    log.info(f"row of {secret} refused", reason=f"号码{secret}有误", where=[f"row {secret}"])
    log.info("nested", detail={"deep": [{"text": f"id={secret}"}]}, pair=("a", f"+86-{secret}"))
    log.info("an object", fault=ValueError(f"bad {secret}"))
    logging.getLogger("a.library").warning("said %s", secret)
    try:
        raise ValueError(f"cannot read {secret}")
    except ValueError:
        log.exception("failed")
    out = written.getvalue()
    assert len(out.splitlines()) == 5
    assert secret not in out
    assert "***" in out


def test_a_secret_number_that_is_no_text_is_hidden_too(written: Written) -> None:
    logs.get_logger("test").info("read", cell=int(IDENTITY_NUMBER), rows=60, fen=9_500_000)
    [line] = written.lines()
    assert (line["cell"], line["rows"], line["fen"]) == ("***", 60, 9_500_000)


@pytest.mark.parametrize("key", ["name", "id_no", "phone", "bank_account", "body", "token"])
def test_a_personal_key_is_hidden_at_any_depth(key: str, written: Written) -> None:
    logs.get_logger("test").info("read", **{key: "王小明"}, part={"rows": [{key: "王小明"}]})
    [line] = written.lines()
    assert line[key] == "***"
    assert line["part"] == {"rows": [{key: "***"}]}


@pytest.mark.parametrize(
    ("quoted", "left"),
    [
        (
            "null value\nDETAIL:  Failing row contains (employee-1, 王小明).",
            "null value\nDETAIL:***",
        ),
        ("invalid input for query argument $1: '王小明' (no int)", "for query argument ***"),
    ],
    ids=["a constraint that fails", "a value that cannot be sent"],
)
def test_what_the_database_quotes_of_a_row_is_hidden(
    quoted: str, left: str, written: Written
) -> None:
    error = f"{quoted}\n[SQL: INSERT INTO x]"
    logs.get_logger("test").error("failed", error=error, shown=repr(error))
    [line] = written.lines()
    assert "王小明" not in written.getvalue()
    assert line["error"].endswith(f"{left}\n[SQL: INSERT INTO x]")


def test_the_trace_of_the_work_in_hand_is_named(written: Written) -> None:
    trace = f"00-{'ab' * 16}-{'cd' * 8}-01"
    token = traceparent_now.set(trace)
    logs.get_logger("test").info("handled")
    logging.getLogger("a.library").warning("said")
    traceparent_now.reset(token)
    assert [line["trace_id"] for line in written.lines()] == ["ab" * 16] * 2


@given(st.uuids())
def test_ids_of_ours_are_left_as_they_are(one: Any) -> None:
    assert without_personal_data(f"event {one} of employee") == f"event {one} of employee"


@pytest.mark.parametrize(
    "text",
    ["2024-10-10T10:00:00.123456Z", "levy period 2024-10", "payroll.events/3/1048576", "76000 fen"],
)
def test_times_periods_places_and_amounts_are_left_as_they_are(text: str) -> None:
    assert without_personal_data(text) == text


@given(st.text(alphabet="0123456789 -X身份证号:,.", max_size=80))
def test_scrubbing_twice_is_scrubbing_once(text: str) -> None:
    once = without_personal_data(text)
    assert without_personal_data(once) == once


@pytest.mark.parametrize("header", [None, "", "00-abc-def-01", "nonsense", f"00-{'G' * 32}-x-01"])
def test_a_malformed_trace_is_replaced_by_a_fresh_one(header: str | None) -> None:
    made = traceparent_of(header)
    assert made != header
    assert traceparent_of(made) == made


def test_fresh_traces_differ() -> None:
    assert new_traceparent() != new_traceparent()
