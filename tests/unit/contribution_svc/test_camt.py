"""camt.053: real samples read as their publisher expects, hostile files refused, and the check of
the whole.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contribution_svc.domain.statement import Effect, Entry, Statement, effect_of, faults
from contribution_svc.errors import StatementFileInvalid
from contribution_svc.files import read_statements
from shared.values import parse_fen
from tests.support.bank_statements import Booking, camt
from tests.support.broken_statements import BROKEN_STATEMENTS, with_

SAMPLES = Path(__file__).parents[2] / "support" / "samples" / "camt"
EXPECTED: dict[str, Any] = json.loads((SAMPLES / "expected.json").read_text())
GOOD = camt("S1", [Booking(345_800, "社保费 9901000001 202410", reference="abc")])


def refused(content: bytes) -> str:
    with pytest.raises(StatementFileInvalid) as refusal:
        read_statements("s.xml", content)
    assert all(fault.where.startswith("s.xml:") for fault in refusal.value.faults)
    return "; ".join(f"{f.where} {f.value} {f.reason}" for f in refusal.value.faults)


@pytest.mark.parametrize("name", [n for n in EXPECTED if n.startswith("camt053")])
def test_real_samples_read_as_expected(name: str) -> None:
    read = read_statements(name, (SAMPLES / name).read_bytes())
    for statement, wanted in zip(read, EXPECTED[name]["statements"], strict=True):
        assert len(statement.entries) == wanted["entries"]
        assert sum(entry.signed_fen() for entry in statement.entries) == parse_fen(wanted["net"])
        assert statement.opening_fen == parse_fen(wanted["balances"]["OPBD"][0])
        assert statement.closing_fen == parse_fen(wanted["balances"]["CLBD"][0])


@pytest.mark.parametrize("name", ["camt052.v2.xml", "camt054.v4.xml"])
def test_other_messages_are_refused_by_name(name: str) -> None:
    assert "expected a camt.053 Document" in refused((SAMPLES / name).read_bytes())


def test_a_sample_in_another_currency_is_not_applied() -> None:
    content = (SAMPLES / "camt053.v8.xml").read_bytes()
    found = faults(read_statements("v8.xml", content), "v8.xml")
    assert {fault.value for fault in found} >= {"EUR", "SEK"}


def test_our_statement_is_read_whole() -> None:
    [statement] = read_statements("s.xml", GOOD)
    assert (statement.bank_id, statement.account_ref, statement.sequence) == ("S1", "BANK-1", 1)
    [entry] = statement.entries
    assert (entry.amount_fen, entry.is_debit, entry.booked_on) == (
        345_800,
        True,
        date(2024, 10, 10),
    )
    assert (entry.voucher, entry.reference) == ("V1", "abc")
    assert entry.remark == "社保费 9901000001 202410"
    assert faults([statement], "s.xml") == []


@pytest.mark.parametrize(("change", "said"), BROKEN_STATEMENTS.values(), ids=BROKEN_STATEMENTS)
def test_a_hostile_or_broken_file_is_refused_with_its_line(
    change: Callable[[bytes], bytes], said: str
) -> None:
    assert said in refused(change(GOOD))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
def test_an_encoding_that_says_what_it_is_is_read(encoding: str) -> None:
    declared = {"utf-8-sig": "UTF-8", "gb18030": "GB18030", "utf-16": "UTF-16"}[encoding]
    content = GOOD.decode().replace("UTF-8", declared).encode(encoding)
    assert read_statements("s.xml", content)[0].entries[0].remark.startswith("社保费")


def test_what_a_batch_says_of_itself_is_read_once_for_all_its_parts() -> None:
    """To read it for each part means going through all parts for each."""
    parts = "".join(
        f'<NtryDtls><TxDtls><Amt Ccy="CNY">{amount}</Amt></TxDtls></NtryDtls>'
        for amount in ("3000.00", "457.00", "1.00")
    )
    start, rest = GOOD.decode().split("<NtryDtls>")
    end = rest.split("</NtryDtls>")[1]
    said = "<AddtlNtryInf>社保费 9901000001 202410</AddtlNtryInf>"
    [statement] = read_statements("s.xml", (start + parts + said + end).encode())
    assert [entry.amount_fen for entry in statement.entries] == [300_000, 45_700, 100]
    assert {(entry.voucher, entry.remark) for entry in statement.entries} == {
        ("V1", "社保费 9901000001 202410")
    }
    unclear = (start.replace(">DBIT<", ">OUT<") + parts + said.replace(" ", "\n") + end).encode()
    assert refused(unclear).count("expected") == 2, "each fault once, not for every part"


def test_a_batch_gives_one_entry_for_each_part() -> None:
    def part(amount: str, reference: str) -> str:
        refs = f"<Refs><EndToEndId>{reference}</EndToEndId></Refs>"
        return f'<TxDtls>{refs}<Amt Ccy="CNY">{amount}</Amt></TxDtls>'

    start, rest = GOOD.decode().split("<TxDtls>")
    end = rest.split("</TxDtls>")[1]
    content = start + part("3000.00", "a") + part("458.00", "b") + end
    [statement] = read_statements("s.xml", content.encode())
    assert [(e.amount_fen, e.reference) for e in statement.entries] == [
        (300_000, "a"),
        (45_800, "b"),
    ]
    wrong = start + part("3000.00", "a") + part("458.01", "b") + end
    assert "add up" in refused(wrong.encode())


def test_several_faults_come_in_one_report() -> None:
    with pytest.raises(StatementFileInvalid) as refusal:
        read_statements("s.xml", with_("3458.00", "x")(with_("BOOK", "DONE")(GOOD)))
    assert len(refusal.value.faults) == 2


STATEMENT = read_statements("s.xml", GOOD)[0]


@pytest.mark.parametrize(
    ("statements", "where"),
    [
        pytest.param([replace(STATEMENT, closing_fen=1)], "Stmt/Bal", id="balances disagree"),
        pytest.param([replace(STATEMENT, currency="USD")], "@Ccy", id="another currency"),
        pytest.param([replace(STATEMENT, page=2)], "StmtPgntn", id="a later page"),
        pytest.param([replace(STATEMENT, is_last_page=False)], "StmtPgntn", id="pages to come"),
        pytest.param([STATEMENT, STATEMENT], "Stmt/Id", id="the same statement twice"),
        pytest.param([], "Stmt", id="no statement"),
        pytest.param(
            [
                replace(
                    STATEMENT,
                    entries=STATEMENT.entries * 2,
                    closing_fen=STATEMENT.closing_fen - 345_800,
                )
            ],
            "AcctSvcrRef",
            id="the same bank serial twice",
        ),
    ],
)
def test_a_statement_that_is_not_whole_is_not_applied(
    statements: list[Statement], where: str
) -> None:
    assert any(where in fault.where for fault in faults(statements, "s.xml"))


def entry(**changes: Any) -> Entry:
    return replace(STATEMENT.entries[0], **changes)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(entry(), Effect("suspense", "new"), id="a booked debit"),
        pytest.param(entry(status="PDNG"), Effect("no_effect", "pending"), id="pending"),
        pytest.param(
            entry(is_debit=False), Effect("no_effect", "credit"), id="money that comes in"
        ),
        pytest.param(
            entry(status="INFO"), Effect("no_effect", "for_information"), id="information"
        ),
        pytest.param(
            entry(status="INFO", return_code="AM04"), Effect("suspense", "new"), id="a refusal"
        ),
        pytest.param(
            entry(is_debit=False, is_reversal=True), Effect("suspense", "new"), id="a reversal"
        ),
        pytest.param(
            entry(return_code="AC04"), Effect("suspense", "contradictory"), id="booked and returned"
        ),
    ],
)
def test_what_an_entry_is_to_begin_with(found: Entry, expected: Effect) -> None:
    assert effect_of(found) == expected


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(content: bytes) -> None:
    with pytest.raises(StatementFileInvalid):
        read_statements("s.xml", content)


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_one_changed_byte_is_read_or_refused(at: int, byte: int) -> None:
    content = GOOD[:at] + bytes([byte]) + GOOD[at + 1 :]
    with suppress(StatementFileInvalid):
        faults(read_statements("s.xml", content), "s.xml")
