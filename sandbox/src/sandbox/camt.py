"""Account statements as camt.053.001.08, valid against the schema of ISO 20022."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import cast

from lxml import etree

from sandbox.wire import local_text, yuan_text

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
CURRENCY = "CNY"

# The stubs of lxml do not know that the prefix None makes a default namespace.
_DEFAULT_NAMESPACE = cast("dict[str, str]", {None: NAMESPACE})

BOOKED = "BOOK"
FOR_INFORMATION = "INFO"
"""ISO external code: the entry is told, but nothing was booked; it counts in no balance."""


@dataclass(frozen=True)
class Entry:
    """One movement. `direction` is DBIT or CRDT, amounts are positive fen.

    A debit that the bank refused is an entry for information with its return code; one that it
    took back is booked, and so is its reversal, which carries the code.
    """

    amount_fen: int
    direction: str
    status: str
    day: date
    voucher: str
    end_to_end: str
    creditor: str
    remittance: str
    is_reversal: bool = False
    return_code: str = ""
    return_text: str = ""


@dataclass(frozen=True)
class Statement:
    """One account and day; `closing_fen` is the opening balance with all booked entries."""

    statement_id: str
    account_ref: str
    holder: str
    day: date
    number: int
    published_at: datetime
    opening_fen: int
    entries: Sequence[Entry]

    @property
    def closing_fen(self) -> int:
        moved = sum(
            entry.amount_fen if entry.direction == "CRDT" else -entry.amount_fen
            for entry in self.entries
            if entry.status == BOOKED
        )
        return self.opening_fen + moved


def document(statement: Statement) -> bytes:
    """The statement as an XML document, UTF-8."""
    root = etree.Element(_tag("Document"), nsmap=_DEFAULT_NAMESPACE)
    message = _add(root, "BkToCstmrStmt")
    header = _add(message, "GrpHdr")
    _put(header, statement.statement_id, "MsgId")
    _put(header, local_text(statement.published_at), "CreDtTm")
    body = _add(message, "Stmt")
    _put(body, statement.statement_id, "Id")
    _put(body, str(statement.number), "ElctrncSeqNb")
    _put(body, local_text(statement.published_at), "CreDtTm")
    account = _add(body, "Acct")
    _put(account, statement.account_ref, "Id", "Othr", "Id")
    _put(account, CURRENCY, "Ccy")
    if statement.holder:
        _put(account, statement.holder, "Ownr", "Nm")
    _balance(body, "OPBD", statement.opening_fen, statement.day)
    _balance(body, "CLBD", statement.closing_fen, statement.day)
    for entry in statement.entries:
        _entry(body, entry)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _balance(body: etree._Element, code: str, fen: int, day: date) -> None:
    balance = _add(body, "Bal")
    _put(balance, code, "Tp", "CdOrPrtry", "Cd")
    _amount(balance, abs(fen))
    _put(balance, "DBIT" if fen < 0 else "CRDT", "CdtDbtInd")
    _put(balance, day.isoformat(), "Dt", "Dt")


def _entry(body: etree._Element, entry: Entry) -> None:
    element = _add(body, "Ntry")
    _amount(element, entry.amount_fen)
    _put(element, entry.direction, "CdtDbtInd")
    if entry.is_reversal:
        _put(element, "true", "RvslInd")
    _put(element, entry.status, "Sts", "Cd")
    _put(element, entry.day.isoformat(), "BookgDt", "Dt")
    _put(element, entry.day.isoformat(), "ValDt", "Dt")
    _put(element, entry.voucher, "AcctSvcrRef")
    domain = _add(element, "BkTxCd", "Domn")
    _put(domain, "PMNT", "Cd")
    family = _add(domain, "Fmly")
    # Received direct debits; UPDD is the one that came to nothing.
    _put(family, "RDDT", "Cd")
    _put(family, "UPDD" if entry.return_code else "PMDD", "SubFmlyCd")
    _transaction(_add(element, "NtryDtls", "TxDtls"), entry)


def _transaction(details: etree._Element, entry: Entry) -> None:
    _put(details, entry.end_to_end, "Refs", "EndToEndId")
    _amount(details, entry.amount_fen)
    _put(details, entry.direction, "CdtDbtInd")
    _put(details, entry.creditor, "RltdPties", "Cdtr", "Pty", "Nm")
    _put(details, entry.remittance, "RmtInf", "Ustrd")
    if entry.return_code:
        returned = _add(details, "RtrInf")
        _put(returned, entry.return_code, "Rsn", "Cd")
        _put(returned, entry.return_text, "AddtlInf")


def _amount(parent: etree._Element, fen: int) -> None:
    amount = _add(parent, "Amt")
    amount.text = yuan_text(fen)
    amount.set("Ccy", CURRENCY)


def _add(parent: etree._Element, *names: str) -> etree._Element:
    """Elements one inside the other; the innermost."""
    for name in names:
        parent = etree.SubElement(parent, _tag(name))
    return parent


def _put(parent: etree._Element, text: str, *names: str) -> None:
    _add(parent, *names).text = text


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"
