"""camt.053 bank statements, versions 2 to 13: a strict grammar over lxml, with no entities, DTD or
network.

Only the grammar's own elements decide anything. A value element holds plain text and nothing else,
since readers differ on comments, CDATA and processing instructions inside values.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cache
from unicodedata import category

from lxml import etree

from contribution_svc.domain.statement import Entry, Statement
from contribution_svc.errors import MAX_FAULTS, StatementFileInvalid
from shared.clock import china_day
from shared.refusal import FieldFault, masked

MAX_BYTES = 20 * 1024 * 1024
"""A year of a large employer's bank account is far below; more is a wrong file or an attack."""
_MAX_ENTRIES = 100_000
_NAMESPACE = re.compile(r"^urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.(0[2-9]|1[0-3])$")
_AMOUNT = re.compile(r"^(\d{1,13})(?:\.(\d{1,2})0{0,3})?$")
_CURRENCY = re.compile(r"^[A-Z]{3}$")
_STATUSES = ("BOOK", "PDNG", "INFO", "FUTR")
_HIDDEN = ("Cc", "Cf", "Cs")
"""Control characters and direction overrides change what a reader of the text sees."""
_OPENING = ("OPBD", "PRCD")
_CLOSING = ("CLBD",)


@dataclass
class _Faults:
    """Everything wrong in one file; at most MAX_FAULTS are kept."""

    file: str
    found: list[FieldFault] = field(default_factory=list)

    def add(self, element: etree._Element, path: str, value: str, reason: str) -> None:
        where = f"{self.file}:{_line(element)}:{path}"
        if len(self.found) < MAX_FAULTS:
            self.found.append(FieldFault(where, masked(value), reason))


def read_statements(file: str, content: bytes) -> list[Statement]:
    """Every statement of a camt.053 file; StatementFileInvalid with all faults of its grammar.

    Whether a statement is whole (balances, currency, pages) is `domain.statement.faults`' question.
    """
    faults = _Faults(file)
    root = _parse(file, content)
    namespace = etree.QName(root).namespace or ""
    if not _NAMESPACE.match(namespace) or etree.QName(root).localname != "Document":
        expected = (
            "expected a camt.053 Document (urn:iso:std:iso:20022:tech:xsd:camt.053.001.02 to .13)"
        )
        raise StatementFileInvalid.of([FieldFault(f"{file}:1:Document", namespace, expected)])
    reader = _Reader(namespace, faults)
    statements = [
        statement
        for element in root.iterfind(f"{{{namespace}}}BkToCstmrStmt/{{{namespace}}}Stmt")
        if (statement := reader.statement(element)) is not None
    ]
    if faults.found:
        raise StatementFileInvalid.of(faults.found)
    return statements


def _parse(file: str, content: bytes) -> etree._Element:
    if len(content) > MAX_BYTES:
        fault = FieldFault(f"{file}:1", f"{len(content)} bytes", f"expected at most {MAX_BYTES}")
        raise StatementFileInvalid.of([fault])
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, strip_cdata=False
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        line = error.lineno or 1
        fault = FieldFault(f"{file}:{line}", error.msg or "", "expected well-formed XML, whole")
        raise StatementFileInvalid.of([fault]) from None
    if getattr(root.getroottree().docinfo, "doctype", ""):
        fault = FieldFault(f"{file}:1", "DOCTYPE", "expected no document type and no entities")
        raise StatementFileInvalid.of([fault])
    return root


class _Reader:
    """Reads the elements of one file's namespace; what is wrong is noted, and reading goes on."""

    def __init__(self, namespace: str, faults: _Faults) -> None:
        self._ns = namespace
        self._faults = faults

    def statement(self, element: etree._Element) -> Statement | None:
        balances = list(self._all(element, "Bal"))
        opening = self._balance(element, balances, _OPENING)
        closing = self._balance(element, balances, _CLOSING)
        last_page = self._text(element, "StmtPgntn/LastPgInd", optional=True)
        currency, opening_fen, _ = opening
        closing_currency, closing_fen, day = closing
        return Statement(
            bank_id=self._text(element, "Id"),
            account_ref=self._account(element),
            currency=currency,
            day=day,
            opening_fen=opening_fen,
            closing_fen=closing_fen,
            entries=tuple(self._entries(element)),
            closing_currency=closing_currency,
            line=_line(element),
            page=self._number(element, "StmtPgntn/PgNb") or 1,
            is_last_page=last_page in ("", "true", "1"),
            sequence=self._number(element, "ElctrncSeqNb"),
        )

    def _account(self, element: etree._Element) -> str:
        other = self._text(element, "Acct/Id/Othr/Id", optional=True)
        return other or self._text(element, "Acct/Id/IBAN")

    def _balance(
        self, element: etree._Element, balances: list[etree._Element], codes: tuple[str, ...]
    ) -> tuple[str, int, date]:
        """Currency, signed fen and day of the first balance with one of `codes`."""
        for code in codes:
            for balance in balances:
                if self._text(balance, "Tp/CdOrPrtry/Cd", optional=True) == code:
                    currency, fen = self._amount(balance, "Amt")
                    is_debit = self._direction(balance)
                    return currency, -fen if is_debit else fen, self._day(balance, "Dt")
        self._faults.add(element, "Stmt/Bal", "nothing", f"expected a balance {' or '.join(codes)}")
        return "", 0, date.min

    def _entries(self, element: etree._Element) -> "Iterator[Entry]":
        """Every entry; a batch of several transactions gives one each."""
        for count, entry in enumerate(self._all(element, "Ntry")):
            if count == _MAX_ENTRIES:
                self._faults.add(entry, "Ntry", "", f"expected at most {_MAX_ENTRIES} entries")
                return
            yield from self._entry(entry)

    def _entry(self, element: etree._Element) -> "Iterator[Entry]":
        currency, fen = self._amount(element, "Amt")
        whole = Entry(
            line=_line(element),
            currency=currency,
            amount_fen=fen,
            is_debit=self._direction(element),
            status=self._status(element),
            booked_on=self._booked_on(element),
            is_reversal=self._text(element, "RvslInd", optional=True) in ("true", "1"),
        )

        # Once for all parts: to find it, everything that the entry holds is gone through.
        @cache
        def own(path: str) -> str:
            return self._text(element, path, optional=True)

        details = list(self._all(element, "NtryDtls/TxDtls"))
        if len(details) <= 1:
            yield self._movement(whole, own, details[0] if details else None)
            return
        parts = [self._amount(detail, self._amount_path(detail)) for detail in details]
        if sum(part for _, part in parts) != fen:
            self._faults.add(
                element, "Ntry/NtryDtls", str(len(parts)), "expected parts that add up to the entry"
            )
        for detail, (part_currency, part) in zip(details, parts, strict=True):
            one = replace(whole, currency=part_currency, amount_fen=part)
            yield self._movement(one, own, detail)

    def _amount_path(self, detail: etree._Element) -> str:
        """Version 2 has the amount of a transaction under AmtDtls, later ones beside it."""
        return "Amt" if self._find(detail, "Amt") is not None else "AmtDtls/TxAmt/Amt"

    def _movement(
        self, whole: Entry, own: Callable[[str], str], detail: etree._Element | None
    ) -> Entry:
        """The entry, or this part of it; `own` are texts of the entry itself, where a part has
        none.
        """

        def said(path: str) -> str:
            return self._text(detail, path, optional=True) if detail is not None else ""

        return replace(
            whole,
            reference=said("Refs/EndToEndId"),
            voucher=said("Refs/AcctSvcrRef") or own("AcctSvcrRef") or own("NtryRef"),
            remark=said("RmtInf/Ustrd") or own("AddtlNtryInf"),
            return_code=said("RtrInf/Rsn/Cd") or said("RtrInf/Rsn/Prtry"),
            return_text=said("RtrInf/AddtlInf"),
        )

    def _direction(self, element: etree._Element) -> bool:
        text = self._text(element, "CdtDbtInd")
        if text not in ("CRDT", "DBIT"):
            self._faults.add(element, "CdtDbtInd", text, "expected CRDT or DBIT")
        return text == "DBIT"

    def _status(self, entry: etree._Element) -> str:
        """A plain code up to version 7, a code inside Sts from version 8 on."""
        nested = self._find(entry, "Sts/Cd") is not None
        text = self._text(entry, "Sts/Cd" if nested else "Sts")
        if text not in _STATUSES:
            self._faults.add(entry, "Ntry/Sts", text, "expected one of " + ", ".join(_STATUSES))
        return text

    def _booked_on(self, entry: etree._Element) -> date:
        if self._find(entry, "BookgDt") is not None:
            return self._day(entry, "BookgDt")
        return self._day(entry, "ValDt")

    def _day(self, element: etree._Element, path: str) -> date:
        """A Dt or DtTm; a moment counts by its day in China."""
        found = self._find(element, path)
        text = ""
        if found is not None:
            text = self._text(found, "Dt", optional=True) or self._text(
                found, "DtTm", optional=True
            )
        try:
            day = date.fromisoformat(text) if len(text) == 10 else _day_of_moment(text)
            if 2000 <= day.year <= 2100:
                return day
        except ValueError:
            pass
        self._faults.add(element, path, text, "expected a day, as in 2024-10-10")
        return date.min

    def _amount(self, element: etree._Element, path: str) -> tuple[str, int]:
        """Currency and fen: digits with at most two decimals that are not zero, never negative."""
        text = self._text(element, path)
        match = _AMOUNT.match(text) if text.isascii() else None
        found = self._find(element, path)
        currency = found.get("Ccy", "") if found is not None else ""
        if match is None:
            self._faults.add(element, path, text, "expected an amount, as in 760.00")
            return currency, 0
        if not _CURRENCY.match(currency):
            self._faults.add(element, f"{path}/@Ccy", currency, "expected a currency code")
        return currency, int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))

    def _number(self, element: etree._Element, path: str) -> int | None:
        text = self._text(element, path, optional=True)
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and len(text) <= 18):
            self._faults.add(element, path, text, "expected a whole number")
            return None
        return int(text)

    def _text(self, element: etree._Element, path: str, optional: bool = False) -> str:
        found = self._find(element, path)
        if found is None:
            if not optional:
                self._faults.add(element, path, "nothing", f"expected {path}")
            return ""
        if len(found) or _has_cdata(found):
            self._faults.add(found, path, "markup", "expected plain text and nothing else")
            return ""
        text = (found.text or "").strip()
        if not text and not optional:
            self._faults.add(found, path, "nothing", f"expected {path}")
        if any(category(char) in _HIDDEN for char in text):
            self._faults.add(found, path, repr(text), "expected no control characters")
            return ""
        return text

    def _find(self, element: etree._Element, path: str) -> etree._Element | None:
        return element.find("/".join(f"{{{self._ns}}}{part}" for part in path.split("/")))

    def _all(self, element: etree._Element, path: str) -> Iterator[etree._Element]:
        return element.iterfind("/".join(f"{{{self._ns}}}{part}" for part in path.split("/")))


def _line(element: etree._Element) -> int:
    line = element.sourceline
    return line if isinstance(line, int) else 1


def _has_cdata(element: etree._Element) -> bool:
    # lxml shows CDATA as text only; what it writes back tells the two apart.
    return b"<![CDATA[" in etree.tostring(element, with_tail=False)


def _day_of_moment(text: str) -> date:
    moment = datetime.fromisoformat(text)
    return moment.date() if moment.tzinfo is None else china_day(moment)
