"""What replies to a submission mean, the hash that names its lines, and the words that go out."""

import hashlib
import json
from typing import Any

import pytest

from bureau_sync_svc.domain import filing
from bureau_sync_svc.domain.evidence import masked_body
from bureau_sync_svc.domain.filing import (
    AssessedLine,
    Assessment,
    Person,
    PostedLine,
    SubmittedLine,
)
from bureau_sync_svc.domain.lines import Sums
from bureau_sync_svc.domain.submissions import (
    Asked,
    Kind,
    Outcome,
    State,
    Verdict,
    after_asking,
    after_sending,
    no_answer,
    not_sent,
)
from bureau_sync_svc.domain.wire import Answer

ID_NO = "99010019900101001X"
ASKED = Asked(frozenset({("e1", "medical")}), {ID_NO: "e1", "110101199003070038": "e2"})
DUE = Sums(950_000, 76_000, 19_000)


def answer(status: int, body: Any) -> Answer:
    return Answer(status, body if isinstance(body, bytes) else json.dumps(body).encode())


def line(**changes: str) -> dict[str, str]:
    return {
        "AAC002": ID_NO,
        "AAE140": "310",
        "AAA115": "10",
        "AAE180": "9500.00",
        "AAE020": "760.00",
        "AAE022": "190.00",
        **changes,
    }


@pytest.mark.parametrize(
    ("reply", "state", "outcome"),
    [
        (answer(202, {"serial": "s1", "state": "received"}), State.TAKEN, Outcome.ANSWERED),
        (answer(202, {"serial": "s2", "state": "received"}), State.UNKNOWN, Outcome.UNREADABLE),
        (answer(202, {"serial": "s1", "state": "queued"}), State.UNKNOWN, Outcome.UNREADABLE),
        (answer(202, {"serial": 7, "state": "received"}), State.UNKNOWN, Outcome.UNREADABLE),
        (answer(200, b'{"serial": "s1", "sta'), State.UNKNOWN, Outcome.UNREADABLE),
        (answer(200, b""), State.UNKNOWN, Outcome.UNREADABLE),
        (answer(200, "<html>系统维护</html>".encode("gbk")), State.UNKNOWN, Outcome.UNREADABLE),
        (answer(200, b"[" * 100_000), State.UNKNOWN, Outcome.UNREADABLE),
        (answer(422, {"code": "REFUSED", "text": "t"}), State.REFUSED, Outcome.REFUSED),
        (answer(422, b"<html>"), State.UNKNOWN, Outcome.UNREADABLE),
        (answer(409, {"code": "OTHER_CONTENT"}), State.UNKNOWN, Outcome.UNREADABLE),
        (answer(429, {"code": "TOO_MANY"}), State.READY, Outcome.LIMITED),
        (answer(401, {"code": "SIGNATURE_REFUSED"}), State.READY, Outcome.REFUSED),
        (answer(503, {"code": "CLOSED", "until": "x"}), State.READY, Outcome.CLOSED),
        (answer(503, b"upstream"), State.UNKNOWN, Outcome.NO_ANSWER),
        (answer(504, {"code": "NO_ANSWER"}), State.UNKNOWN, Outcome.NO_ANSWER),
        (answer(404, {"code": "UNKNOWN_SERIAL"}), State.UNKNOWN, Outcome.UNREADABLE),
    ],
)
def test_after_sending(reply: Answer, state: State, outcome: Outcome) -> None:
    verdict = after_sending(Kind.FILING, "s1", reply, ASKED)
    assert (verdict.state, verdict.outcome) == (state, outcome)


def ask(body: Any, status: int = 200, before: State = State.UNKNOWN) -> Verdict:
    return after_asking(Kind.FILING, "s1", before, answer(status, body), ASKED)


def test_only_a_definite_404_lets_the_serial_go_out_again() -> None:
    assert ask({"code": "UNKNOWN_SERIAL"}, 404).state is State.READY
    assert ask({"code": "NOT_FOUND"}, 404).state is State.UNKNOWN
    assert ask(b"<html>404</html>", 404).state is State.UNKNOWN
    assert ask({"code": "UNKNOWN_SERIAL"}, 200).state is State.UNKNOWN


@pytest.mark.parametrize("before", [State.SENDING, State.UNKNOWN])
def test_what_decides_nothing_leaves_the_outcome_unknown(before: State) -> None:
    assert ask({"code": "CLOSED"}, 503, before).state is State.UNKNOWN
    assert no_answer(before, "ReadTimeout").state is State.UNKNOWN
    assert not_sent("ConnectError").state is State.READY


def test_what_was_taken_stays_taken() -> None:
    assert ask(b"", 200, State.TAKEN).state is State.TAKEN
    assert no_answer(State.TAKEN, "ReadTimeout").state is State.TAKEN


def verified(*lines: dict[str, str], total: str | None = None) -> Verdict:
    said = {"serial": "s1", "state": "verified", "lines": list(lines)}
    return ask(said if total is None else {**said, "total": total}, before=State.TAKEN)


def test_verified_amounts_are_kept_by_line() -> None:
    assert verified(line(), total="950.00").verified == {("e1", "medical"): DUE}


def test_a_verification_without_our_line_says_so() -> None:
    verdict = verified(line(AAC002="110101199003070038"))
    assert verdict.state is State.VERIFIED
    assert (verdict.strangers, verdict.verified) == (1, {})
    assert verdict.line_reasons == {("e1", "medical"): "核定结果未包含此明细"}


@pytest.mark.parametrize(
    ("lines", "total", "reason"),
    [
        ((line(), line(AAE020="1.00")), None, "核定明细自相矛盾: 同一人同一险种金额不同"),
        ((line(),), "951.00", "核定合计与明细之和不符"),
        ((), None, "核定结果没有明细"),
        ((line(AAE140="999"),), None, "AAE140 未知险种代码: 999"),
        ((line(AAE020="760,00"),), None, "AAE020 不是以元为单位的金额: 760,00"),
    ],
)
def test_a_verification_that_does_not_add_up_is_not_believed(
    lines: tuple[dict[str, str], ...], total: str | None, reason: str
) -> None:
    verdict = verified(*lines, total=total)
    assert (verdict.state, verdict.outcome, verdict.reason) == (
        State.TAKEN,
        Outcome.UNREADABLE,
        reason,
    )


def test_a_detail_said_to_be_recorded_is_taken_and_no_more() -> None:
    said = {
        "serial": "s1",
        "state": "partly_recorded",
        "lines": [{"AAC002": ID_NO, "AAE140": "310", "state": "refused", "text": "证件号码不符"}],
    }
    verdict = after_asking(Kind.DETAIL, "s1", State.TAKEN, answer(200, said), ASKED)
    assert verdict.state is State.VERIFIED
    assert verdict.line_states == {("e1", "medical"): "refused"}
    assert verdict.line_reasons == {("e1", "medical"): "证件号码不符"}


def test_identity_numbers_in_a_partys_words_are_taken_out() -> None:
    verdict = after_sending(
        Kind.FILING, "s1", answer(422, {"code": "X", "text": f"{ID_NO} 不存在\n请核对"}), ASKED
    )
    assert verdict.reason == "*** 不存在 请核对"


def test_lines_hash_is_the_contracts() -> None:
    expected = hashlib.sha256(b"a:2\nb:10").hexdigest()
    assert filing.lines_hash([("b", 10), ("a", 2)]) == expected
    assert filing.lines_hash([("a", 2), ("b", 10)]) == expected


def test_serials_are_derived_and_fit_the_debit() -> None:
    first, second = (filing.filing_serial("d1", version) for version in (1, 2))
    assert first == filing.filing_serial("d1", 1) != second
    assert len(first) <= 35
    assert filing.detail_serial(first, "a") != filing.detail_serial(first, "b")


ASSESSED = AssessedLine("medical", "due", "medical-990100", "regular", 950_000, 76_000, 19_000)


def test_only_due_lines_are_filed() -> None:
    blocked = AssessedLine("maternity", "blocked", "medical-990100")
    (filed,) = filing.filing_lines([Assessment("e1", 1, (ASSESSED, blocked))])
    assert filed == SubmittedLine("e1", "medical", "medical-990100", "regular", DUE)


@pytest.mark.parametrize(
    ("sums", "total", "objection"),
    [
        ({"medical": (76_000, 19_000)}, 95_000, ""),
        ({"medical": (76_000, 19_000), "pension": (0, 0)}, 95_000, ""),
        ({"medical": (76_001, 19_000)}, 95_001, "明细合计与批准的申报不符"),
        ({"medical": (76_000, 19_000)}, 95_001, "明细总额与批准的申报不符"),
    ],
)
def test_other_sums_than_approved_are_not_filed(
    sums: dict[str, tuple[int, int]], total: int, objection: str
) -> None:
    lines = filing.filing_lines([Assessment("e1", 1, (ASSESSED,))])
    assert filing.objection(lines, sums, total) == objection


def test_an_insurance_without_a_code_is_not_filed() -> None:
    fund = SubmittedLine("e1", "housing_fund", "fund", "regular", DUE)
    assert "housing_fund" in filing.objection([fund], {"housing_fund": (76_000, 19_000)}, 95_000)


def test_paid_is_never_passed_on_as_more_than_due() -> None:
    filed = filing.filing_lines([Assessment("e1", 1, (ASSESSED,))])
    twice = PostedLine("medical", "posted", 152_000, 38_000, "2024-10-10", "2024-10-16")
    refused = PostedLine("medical", "refused", 0, 0, "2024-10-10", "2024-10-16")
    assert filing.detail_lines(filed, {("e1", "medical"): twice}) == (filed, 0)
    assert filing.detail_lines(filed, {("e1", "medical"): refused}) == ([], 1)
    assert filing.detail_lines(filed, {}) == ([], 1)


def test_bodies_speak_the_bureaus_codes() -> None:
    lines = filing.filing_lines([Assessment("e1", 1, (ASSESSED,))])
    people = {"e1": Person(ID_NO, "小王")}
    filed = filing.body_of(Kind.FILING, "s1", "A-1", "2024-10", "2024-10-10", lines, people)
    assert filed["debit_on"] == "20241010"
    detail = filing.body_of(Kind.DETAIL, "s2", "A-1", "2024-10", "2024-10-10", lines, people)
    assert detail == {
        "serial": "s2",
        "AAB001": "A-1",
        "AAE003": "202410",
        "lines": [
            {
                "AAC002": ID_NO,
                "AAC003": "小王",
                "AAE140": "310",
                "AAE003": "202410",
                "AAA115": "10",
                "AAE180": "9500.00",
                "AAE080": "760.00",
                "AAE082": "190.00",
            }
        ],
    }


def test_evidence_rests_without_persons() -> None:
    body = {"lines": [{"AAC002": ID_NO, "AAC003": "小王"}, {"AAC002": "1"}], "text": f"见 {ID_NO}"}
    kept = masked_body(json.dumps(body).encode(), {ID_NO: "e1"})
    assert json.loads(kept) == {
        "lines": [{"AAC002": "e1", "AAC003": "***"}, {"AAC002": "(非本单位人员)"}],
        "text": "见 ***",
    }
    assert masked_body(f"<p>{ID_NO}\x00</p>".encode(), {}) == "<p>***</p>"
