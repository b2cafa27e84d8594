"""退费: what was paid too much for one employee's levy period, applied for at the collector, and
what the collector answered.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from contribution_svc.domain.difference import SupplementLine
from contribution_svc.errors import RefundAnsweredAlready
from shared.values import Insurance, fen_text


class RefundState(StrEnum):
    """Only what was refunded to the fen is settled; the rest goes on being listed as too much."""

    REQUESTED = "requested"  # 已申请
    REFUNDED = "refunded"  # 已退
    DIFFERS = "differs"  # 退费不符
    REFUSED = "refused"  # 不予退费


@dataclass(frozen=True, slots=True)
class Refund:
    """An application: `lines` are the difference lines below zero that it is for, `number` 1, 2,
    ... of the employee's levy period. `refunded_fen` came on `refunded_on`; `reason` is why the
    collector refused.
    """

    refund_id: str
    employer_id: str
    account_id: str
    employee_id: str
    levy_period: str
    number: int
    lines: Sequence[SupplementLine]
    document_no: str
    requested_by: str
    requested_at: datetime
    state: RefundState = RefundState.REQUESTED
    version: int = 1
    answered_by: str = ""
    answered_at: datetime | None = None
    refunded_fen: int | None = None
    refunded_on: date | None = None
    reason: str = ""

    def requested_fen(self) -> int:
        """Both sides together."""
        return -sum(line.total_fen() for line in self.lines)

    def is_waiting_for(self, lines: Sequence[SupplementLine]) -> bool:
        """Whether these are applied for already."""
        return self.state is RefundState.REQUESTED and _amounts(self.lines) == _amounts(lines)

    def requested_again(
        self, lines: Sequence[SupplementLine], document_no: str, by: str, at: datetime
    ) -> "Refund":
        """What was refused, or differs, is applied for by another document."""
        return Refund(
            refund_id=self.refund_id,
            employer_id=self.employer_id,
            account_id=self.account_id,
            employee_id=self.employee_id,
            levy_period=self.levy_period,
            number=self.number,
            lines=lines,
            document_no=document_no,
            requested_by=by,
            requested_at=at,
            version=self.version + 1,
        )

    def answered(
        self, refunded_fen: int | None, refunded_on: date | None, reason: str, by: str, at: datetime
    ) -> "Refund":
        """The collector refunded this sum on a day; None: it refused. RefundAnsweredAlready once
        everything was refunded.
        """
        if self.state is RefundState.REFUNDED:
            raise RefundAnsweredAlready(
                f"{fen_text(self.requested_fen())} yuan of {self.levy_period} were refunded on "
                f"{self.refunded_on}, as they were applied for; nothing is left to be answered"
            )
        return replace(
            self,
            state=self._state(refunded_fen),
            version=self.version + 1,
            answered_by=by,
            answered_at=at,
            refunded_fen=refunded_fen,
            refunded_on=refunded_on,
            reason=reason,
        )

    def _state(self, refunded_fen: int | None) -> RefundState:
        if refunded_fen is None:
            return RefundState.REFUSED
        agrees = refunded_fen == self.requested_fen()
        return RefundState.REFUNDED if agrees else RefundState.DIFFERS

    def sentence(self) -> str:
        """Where it stands, and who has to do what."""
        employee_fen = -sum(line.employee_fen for line in self.lines)
        asked = f"{self.levy_period}费款多缴{fen_text(self.requested_fen())}元"
        if self.state is RefundState.REQUESTED:
            waits = "等待征收机构答复；收到后登记到账金额和日期"
            return f"{asked}，已申请退费（{self.document_no}），{waits}"
        if self.state is RefundState.REFUSED:
            return f"{asked}，征收机构不予退费（{self.reason}）；核对资料后可重新申请"
        came = f"{self.refunded_on}退回{fen_text(self.refunded_fen or 0)}元"
        if self.state is RefundState.DIFFERS:
            return f"{asked}，{came}，与申请不符；请向征收机构核实后重新登记或重新申请"
        back = f"，其中个人{fen_text(employee_fen)}元应由单位退还员工" if employee_fen > 0 else ""
        return f"{asked}，{came}，与申请一致{back}"


def _amounts(lines: Sequence[SupplementLine]) -> set[tuple[Insurance, int, int]]:
    return {(line.insurance, line.employer_fen, line.employee_fen) for line in lines}
