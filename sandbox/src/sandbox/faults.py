"""The faults that can be ordered of a party, and what each does to a request, a line or a debit:
pure functions.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from sandbox.wire import DueLine, PaidLine, Yuan
from shared.values import Insurance


class Kind(StrEnum):
    """What goes wrong."""

    ACCEPT_AND_DROP = "accept_and_drop"
    RECORD_LATE = "record_late"
    REFUSE = "refuse"
    TIMEOUT_BEFORE = "timeout_before"
    TIMEOUT_AFTER = "timeout_after"
    WRONG_BASE = "wrong_base"
    ONLY_INSURANCES = "only_insurances"
    ANSWER_TWICE = "answer_twice"
    CLOSED = "closed"
    DEBIT_TWICE = "debit_twice"
    OTHER_AMOUNT = "other_amount"
    LATE = "late"


BANK_KINDS = frozenset(
    {
        *(Kind.REFUSE, Kind.DEBIT_TWICE, Kind.OTHER_AMOUNT, Kind.LATE),
        *(Kind.TIMEOUT_BEFORE, Kind.CLOSED),
    }
)
BUREAU_KINDS = frozenset(set(Kind) - {Kind.DEBIT_TWICE, Kind.OTHER_AMOUNT, Kind.LATE})


class Params(BaseModel):
    """No parameters; the base of those that have some. A misspelt one is refused, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class LateParams(Params):
    """Whole days later; `in_transit` lists a record as 在途 (AAE078 = 3) until then, instead of
    not at all.
    """

    days: Annotated[int, Field(ge=1, le=366)]
    in_transit: bool = False


class RefuseParams(Params):
    """`later` refuses after accepting; `code` (ISO 20022) and `reversed_after_days` are the
    bank's.
    """

    text: Annotated[str, Field(min_length=1, max_length=100)] = "数据校验未通过"
    later: bool = False
    code: Annotated[str, Field(pattern=r"^[A-Z]{2}\d{2}$")] = "AC04"
    reversed_after_days: Annotated[int, Field(ge=1, le=60)] | None = None


class TimeoutParams(Params):
    """How long nothing is said; `reads` strikes questions as well as what takes effect."""

    seconds: Annotated[float, Field(ge=0, le=600)] = 30.0
    reads: bool = False


class BaseParams(Params):
    """By how much the base is wrong: yuan as text, or whole percent of it."""

    delta: Yuan | None = None
    percent: Annotated[int, Field(ge=-100, le=1_000)] | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.delta is None) == (self.percent is None):
            raise ValueError("wrong_base takes either delta (yuan as text) or percent")
        return self

    def applied(self, base_fen: int) -> int:
        if self.delta is not None:
            return max(0, base_fen + self.delta)
        assert self.percent is not None
        return base_fen * (100 + self.percent) // 100


class AmountParams(Params):
    """By how much the bank's sum is off: yuan as text."""

    delta: Yuan


PARAMS: dict[Kind, type[Params]] = {
    Kind.RECORD_LATE: LateParams,
    Kind.LATE: LateParams,
    Kind.REFUSE: RefuseParams,
    Kind.TIMEOUT_BEFORE: TimeoutParams,
    Kind.TIMEOUT_AFTER: TimeoutParams,
    Kind.WRONG_BASE: BaseParams,
    Kind.OTHER_AMOUNT: AmountParams,
}


class FaultOrder(BaseModel):
    """An order by HTTP. Empty selectors mean everything; `times` is how often it strikes, else
    until it is lifted.

    `people` are identity numbers, `accounts` a collector's account numbers or the bank's
    references. For `only_insurances`, `insurances` are those that still work.
    """

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    party: str
    kind: Kind
    insurances: tuple[Insurance, ...] = ()
    people: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    from_at: AwareDatetime | None = Field(default=None, alias="from")
    until_at: AwareDatetime | None = Field(default=None, alias="until")
    params: dict[str, Any] = Field(default_factory=dict)
    times: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        PARAMS.get(self.kind, Params).model_validate(self.params)
        if self.kind is Kind.CLOSED and self.until_at is None:
            raise ValueError("closed needs `until`: the party tells callers when it opens again")
        if self.kind is Kind.ONLY_INSURANCES and not self.insurances:
            raise ValueError("only_insurances needs `insurances`: those that still work")
        return self


@dataclass(frozen=True)
class Fault:
    """A fault that stands at the moment it was asked for."""

    fault_id: str
    kind: Kind
    params: Params
    insurances: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    until_at: datetime | None = None

    def concerns(self, account: str, id_no: str, insurance: str) -> bool:
        """Whether the selectors take in this line."""
        named = insurance in self.insurances
        if self.kind is Kind.ONLY_INSURANCES:
            named = not named
        return (
            (named or not self.insurances)
            and (id_no in self.people or not self.people)
            and (account in self.accounts or not self.accounts)
        )


@dataclass(frozen=True)
class Touched:
    """One line as selectors see it."""

    account: str
    id_no: str = ""
    insurance: str = ""


def touched(account: str, lines: Iterable[DueLine | PaidLine]) -> list[Touched]:
    return [Touched(account, line.id_no, line.insurance) for line in lines]


def first(
    standing: Sequence[Fault], kind: Kind, lines: Sequence[Touched] = (Touched(""),)
) -> Fault | None:
    """The first fault of this kind that concerns any of the lines."""
    for fault in standing:
        if fault.kind is kind and any(
            fault.concerns(line.account, line.id_no, line.insurance) for line in lines
        ):
            return fault
    return None


def of_account(standing: Sequence[Fault], kind: Kind, *accounts: str) -> Fault | None:
    """The first fault of this kind that names one of the accounts, or none at all."""
    for fault in standing:
        if fault.kind is kind and (not fault.accounts or fault.accounts & set(accounts)):
            return fault
    return None


def timeout_of(fault: Fault | None) -> float | None:
    """For how many seconds nothing is said; None when no time-out stands."""
    if fault is None:
        return None
    assert isinstance(fault.params, TimeoutParams)
    return fault.params.seconds


def reads_time_out(standing: Sequence[Fault]) -> Fault | None:
    """The time-out that strikes questions too, if one stands: at the bank every request is one."""
    for fault in standing:
        if isinstance(fault.params, TimeoutParams) and fault.params.reads:
            return fault
    return None


@dataclass(frozen=True)
class Treatment:
    """What becomes of one line: its figures as the party will show them, and when, or why not."""

    base_fen: int
    employer_fen: int
    employee_fen: int
    dropped_by: str | None = None
    refused_with: str = ""
    refused_later: bool = False
    late_days: int = 0
    in_transit: bool = False
    struck: frozenset[str] = field(default=frozenset())


Effect = Callable[[Treatment, Fault, DueLine | PaidLine], Treatment]


def _drop(treatment: Treatment, fault: Fault, _: DueLine | PaidLine) -> Treatment:
    return replace(treatment, dropped_by=fault.fault_id)


def _delay(treatment: Treatment, fault: Fault, _: DueLine | PaidLine) -> Treatment:
    assert isinstance(fault.params, LateParams)
    return replace(treatment, late_days=fault.params.days, in_transit=fault.params.in_transit)


def _refuse(treatment: Treatment, fault: Fault, _: DueLine | PaidLine) -> Treatment:
    assert isinstance(fault.params, RefuseParams)
    return replace(treatment, refused_with=fault.params.text, refused_later=fault.params.later)


def _misbase(treatment: Treatment, fault: Fault, line: DueLine | PaidLine) -> Treatment:
    """What is due follows the base; what was paid stays what it was."""
    assert isinstance(fault.params, BaseParams)
    base_fen = fault.params.applied(line.base_fen)
    if isinstance(line, PaidLine) or line.base_fen == 0:
        return replace(treatment, base_fen=base_fen)
    return replace(
        treatment,
        base_fen=base_fen,
        employer_fen=_scaled(line.employer_fen, base_fen, line.base_fen),
        employee_fen=_scaled(line.employee_fen, base_fen, line.base_fen),
    )


def _scaled(amount_fen: int, base_fen: int, of_base_fen: int) -> int:
    """In proportion to the base, half a fen upwards."""
    return (2 * amount_fen * base_fen + of_base_fen) // (2 * of_base_fen)


_EFFECTS: dict[Kind, Effect] = {
    Kind.ACCEPT_AND_DROP: _drop,
    Kind.ONLY_INSURANCES: _drop,
    Kind.RECORD_LATE: _delay,
    Kind.REFUSE: _refuse,
    Kind.WRONG_BASE: _misbase,
}


def treat(standing: Sequence[Fault], account: str, line: DueLine | PaidLine) -> Treatment:
    """The line under all faults that concern it, in the order in which they were ordered."""
    treatment = Treatment(line.base_fen, line.employer_fen, line.employee_fen)
    for fault in standing:
        effect = _EFFECTS.get(fault.kind)
        if effect is None or not fault.concerns(account, line.id_no, line.insurance):
            continue
        treatment = effect(treatment, fault, line)
        treatment = replace(treatment, struck=treatment.struck | {fault.fault_id})
    return treatment
