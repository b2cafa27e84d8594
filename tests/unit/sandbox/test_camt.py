"""Statements against the schema of ISO 20022, and their balances."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from sandbox.camt import NAMESPACE, Entry, Statement, document

SCHEMA_FILE = Path(__file__).parents[2] / "support" / "iso20022" / "camt.053.001.08.xsd"
SCHEMA = etree.XMLSchema(etree.parse(str(SCHEMA_FILE)))
DAY = date(2024, 10, 10)
CAMT = {"c": NAMESPACE}


def entry(
    amount_fen: int = 190_000,
    direction: str = "DBIT",
    status: str = "BOOK",
    return_code: str = "",
    remittance: str = "社保费 A-1 202410",
) -> Entry:
    return Entry(
        amount_fen=amount_fen,
        direction=direction,
        status=status,
        day=DAY,
        voucher="20241010000001",
        end_to_end="S-1",
        creditor="tax-990100",
        remittance=remittance,
        is_reversal=direction == "CRDT",
        return_code=return_code,
        return_text="账户已销户" if return_code else "",
    )


def statement(*entries: Entry, opening_fen: int = 1_000_000_000) -> Statement:
    return Statement(
        statement_id="0123456789abcdef0123456789abcdef",
        account_ref="6200-0000-0000-0001",
        holder="示例<公司> & 合伙",
        day=DAY,
        number=1,
        published_at=datetime(2024, 10, 10, 10, 0, tzinfo=UTC),
        opening_fen=opening_fen,
        entries=entries,
    )


def read(said: Statement) -> etree._Element:
    """The document, parsed back; the schema's own words if it is not valid."""
    root = etree.fromstring(document(said))
    SCHEMA.assertValid(root)
    return root


def text(root: etree._Element, path: str) -> str:
    [found] = root.findall(path, CAMT)
    return found.text or ""


@pytest.mark.parametrize(
    "entries",
    [
        (),
        (entry(),),
        (entry(), entry()),
        (entry(status="INFO", return_code="AC04"),),
        (entry(direction="CRDT", return_code="AM04"),),
        (entry(remittance="<&>\"' 社保费"),),
    ],
)
def test_every_statement_validates_against_the_iso_schema(entries: tuple[Entry, ...]) -> None:
    read(statement(*entries))


def test_a_lump_sum_is_one_entry_with_the_serial_and_the_voucher() -> None:
    root = read(statement(entry()))
    assert text(root, ".//c:Ntry/c:AcctSvcrRef") == "20241010000001"
    assert text(root, ".//c:Ntry/c:Sts/c:Cd") == "BOOK"
    assert text(root, ".//c:TxDtls/c:Refs/c:EndToEndId") == "S-1"
    assert text(root, ".//c:TxDtls/c:RmtInf/c:Ustrd") == "社保费 A-1 202410"
    assert text(root, ".//c:Acct/c:Id/c:Othr/c:Id") == "6200-0000-0000-0001"
    assert root.find(".//c:RtrInf", CAMT) is None


def test_a_refused_debit_is_told_and_not_booked() -> None:
    said = statement(entry(status="INFO", return_code="AC04"))
    root = read(said)
    assert text(root, ".//c:RtrInf/c:Rsn/c:Cd") == "AC04"
    assert text(root, ".//c:Ntry/c:Sts/c:Cd") == "INFO"
    assert said.closing_fen == said.opening_fen


def test_a_reversal_names_its_reason_and_gives_the_sum_back() -> None:
    said = statement(entry(), entry(direction="CRDT", return_code="AM04"))
    root = read(said)
    assert text(root, ".//c:Ntry/c:RvslInd") == "true"
    assert said.closing_fen == said.opening_fen


booked = st.builds(
    entry,
    amount_fen=st.integers(min_value=1, max_value=10**12),
    direction=st.sampled_from(["DBIT", "CRDT"]),
    status=st.sampled_from(["BOOK", "INFO"]),
)


@given(st.lists(booked, max_size=6), st.integers(min_value=-(10**12), max_value=10**12))
def test_opening_and_booked_entries_make_the_closing(
    entries: list[Entry], opening_fen: int
) -> None:
    root = read(statement(*entries, opening_fen=opening_fen))

    def fen(element: etree._Element) -> int:
        amount = int(text(element, "c:Amt").replace(".", ""))
        return amount if text(element, "c:CdtDbtInd") == "CRDT" else -amount

    opening, closing = (fen(balance) for balance in root.findall(".//c:Bal", CAMT))
    moved = [
        fen(one) for one in root.findall(".//c:Ntry", CAMT) if text(one, "c:Sts/c:Cd") == "BOOK"
    ]
    assert opening + sum(moved) == closing
