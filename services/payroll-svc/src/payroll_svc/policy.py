"""The dated rules that payroll is reckoned by: income tax and the statutory pay items, from YAML.

They are part of the release, and strict: a key that is misspelt or missing stops the start.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationInfo, field_validator
from ruamel.yaml import YAML

from payroll_svc.domain.income_tax import Bracket, DeductionKind, TaxTerms
from payroll_svc.domain.pay_items import PayItem
from shared.values import parse_fen

_FOLDER = Path(__file__).parent / "policies"
_PERCENT = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,4}))?")


def _fen(text: object) -> int:
    if not isinstance(text, str) or "-" in text:
        raise ValueError("expected yuan as a quoted decimal text such as '5000.00'")
    return parse_fen(text)


def _ppm(text: object) -> int:
    match = _PERCENT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError("expected percent as a quoted decimal text such as '0.5'")
    return int(match[1]) * 10_000 + int((match[2] or "").ljust(4, "0"))


def _day(text: object) -> date:
    if not isinstance(text, str):
        raise ValueError("expected a quoted day such as '2023-01-01'")
    return date.fromisoformat(text)


Fen = Annotated[int, BeforeValidator(_fen)]
Ppm = Annotated[int, BeforeValidator(_ppm)]
Day = Annotated[date, BeforeValidator(_day)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Sourced(_Strict):
    """Whatever has a source: it is one of the file's own, given as the context."""

    source: str

    @field_validator("source")
    @classmethod
    def _known(cls, source: str, of: ValidationInfo) -> str:
        sources: Mapping[str, str] = (of.context or {}).get("sources", {})
        if source not in sources:
            raise ValueError(f"expected one of the file's sources {sorted(sources)}")
        return sources[source]


class _Amount(_Sourced):
    value: Fen


class _LastDay(_Sourced):
    value: Day


class _Row(_Strict):
    up_to: Fen | None
    rate: Ppm
    quick_deduction: Fen


class _Table(_Sourced):
    rows: list[_Row]

    def brackets(self) -> tuple[Bracket, ...]:
        return tuple(Bracket(row.up_to, row.rate, row.quick_deduction) for row in self.rows)


class _Election(_Sourced):
    name: str
    ceiling_last_year: Fen = 0


class _Deduction(_Sourced):
    name: str
    per: Literal["month", "year", "settlement"]
    choices: list[Fen] = []
    up_to: Fen = 0
    exclusive: str = ""
    repeats: bool = False
    longest_months: int = 0


class _Elections(_Strict):
    first_wage_of_year: _Election
    sixty_thousand_at_once: _Election
    bonus_taxed_apart: _Election


class _Terms(_Sourced):
    effective_from: Day
    effective_to: Day | None
    known_since: Day
    allowance_per_month: _Amount
    annual_table: _Table
    monthly_table: _Table
    bonus_taxed_apart_until: _LastDay
    elections: _Elections
    deductions: dict[str, _Deduction]


class _TaxFile(_Strict):
    schema_version: Literal[1]
    sources: dict[str, str]
    terms: list[_Terms]


class _Item(_Strict):
    name: str
    way: Literal["amount", "pieces", "hours", "days"]
    part: Literal["gross", "after_tax"] = "gross"
    deducts: bool = False
    counts_as_wage: bool = True
    taxed: bool = True
    by_days: bool = False
    rate: Ppm = 1_000_000
    law: str


class _Catalogue(_Sourced):
    effective_from: Day
    effective_to: Day | None
    known_since: Day
    items: dict[str, _Item]


class _ItemsFile(_Strict):
    schema_version: Literal[1]
    sources: dict[str, str]
    terms: list[_Catalogue]


FileT = TypeVar("FileT", _TaxFile, _ItemsFile)


def _read(kind: type[FileT], name: str) -> FileT:
    tree = YAML(typ="safe", pure=True).load((_FOLDER / name).read_text("utf-8"))
    return kind.model_validate(tree, context={"sources": tree["sources"]})


@cache
def tax_terms() -> tuple[TaxTerms, ...]:
    """Every known version of the income tax rules, the oldest first."""
    terms = _read(_TaxFile, "income_tax.yaml").terms
    return tuple(_terms(one) for one in sorted(terms, key=lambda one: one.effective_from))


@dataclass(frozen=True, slots=True)
class Rules:
    """What doors pass to use cases: the statutory pay items by code, and the income tax terms."""

    items: Mapping[str, PayItem]
    tax: Sequence[TaxTerms]


def rules() -> Rules:
    """Those of this release."""
    return Rules(statutory_items(), tax_terms())


def _terms(read: _Terms) -> TaxTerms:
    chosen = read.elections
    return TaxTerms(
        effective_from=read.effective_from,
        effective_to=read.effective_to,
        allowance_per_month_fen=read.allowance_per_month.value,
        annual_table=read.annual_table.brackets(),
        monthly_table=read.monthly_table.brackets(),
        bonus_taxed_apart_until=read.bonus_taxed_apart_until.value,
        low_income_ceiling_fen=chosen.sixty_thousand_at_once.ceiling_last_year,
        elections={name: one.name for name, one in chosen},
        deductions={code: _kind(code, one) for code, one in read.deductions.items()},
        source=read.source,
    )


def _kind(code: str, read: _Deduction) -> DeductionKind:
    return DeductionKind(
        code=code,
        name=read.name,
        per=read.per,
        choices_fen=tuple(read.choices),
        up_to_fen=read.up_to,
        exclusive=read.exclusive,
        repeats=read.repeats,
        longest_months=read.longest_months,
        source=read.source,
    )


@cache
def statutory_items() -> dict[str, PayItem]:
    """The newest catalogue, which every employer has, by code."""
    read = _read(_ItemsFile, "pay_items.yaml")
    newest = max(read.terms, key=lambda one: one.effective_from)
    return {
        code: PayItem(
            code=code,
            name=item.name,
            way=item.way,
            part=item.part,
            deducts=item.deducts,
            counts_as_wage=item.counts_as_wage,
            taxed=item.taxed,
            by_days=item.by_days,
            rate_ppm=item.rate,
            law=read.sources[item.law],
        )
        for code, item in newest.items.items()
    }
