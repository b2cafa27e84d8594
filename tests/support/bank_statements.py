"""Builders of camt.053 statements, one entry per booking: what a bank publishes, whole or broken as
told.
"""

from collections.abc import Sequence
from dataclasses import dataclass

_ENTRY = """
   <Ntry><Amt Ccy="CNY">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd>{reversal}
    <Sts><Cd>{status}</Cd></Sts><BookgDt><Dt>{day}</Dt></BookgDt><AcctSvcrRef>{voucher}</AcctSvcrRef>
    <NtryDtls><TxDtls><Refs><EndToEndId>{reference}</EndToEndId></Refs>
     <RmtInf><Ustrd>{remark}</Ustrd></RmtInf>{returned}</TxDtls></NtryDtls>
   </Ntry>"""
_DOCUMENT = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">
 <BkToCstmrStmt>
  <Stmt>
   <Id>{bank_id}</Id><ElctrncSeqNb>{number}</ElctrncSeqNb>
   <Acct><Id><Othr><Id>{account}</Id></Othr></Id></Acct>
   <Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="CNY">{opening}</Amt>
    <CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>
   <Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="CNY">{closing}</Amt>
    <CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>{entries}
  </Stmt>
 </BkToCstmrStmt>
</Document>
"""


@dataclass(frozen=True)
class Booking:
    """One entry; a debit unless it is told otherwise. Fen."""

    amount_fen: int
    remark: str
    voucher: str = "V1"
    reference: str = "NOTPROVIDED"
    direction: str = "DBIT"
    status: str = "BOOK"
    is_reversal: bool = False
    return_code: str = ""
    day: str = ""


def yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def camt(
    bank_id: str,
    bookings: Sequence[Booking],
    *,
    account: str = "BANK-1",
    day: str = "2024-10-10",
    opening_fen: int = 100_000_000,
    closing_fen: int | None = None,
    number: int = 1,
) -> bytes:
    """A statement whose balances agree with its bookings, unless `closing_fen` says otherwise."""
    moved = sum(
        one.amount_fen if one.direction == "CRDT" else -one.amount_fen
        for one in bookings
        if one.status == "BOOK"
    )
    closing = opening_fen + moved if closing_fen is None else closing_fen
    entries = "".join(
        _ENTRY.format(
            amount=yuan(one.amount_fen),
            direction=one.direction,
            reversal="<RvslInd>true</RvslInd>" if one.is_reversal else "",
            status=one.status,
            day=one.day or day,
            voucher=one.voucher,
            reference=one.reference,
            remark=one.remark,
            returned=f"<RtrInf><Rsn><Cd>{one.return_code}</Cd></Rsn></RtrInf>"
            if one.return_code
            else "",
        )
        for one in bookings
    )
    return _DOCUMENT.format(
        bank_id=bank_id,
        number=number,
        account=account,
        day=day,
        opening=yuan(opening_fen),
        closing=yuan(closing),
        entries=entries,
    ).encode()
