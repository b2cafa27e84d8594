"""A city's policy as it stands: every dated figure with its source."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from contribution_svc.api.callers import Anyone, Day, LevyPeriodText
from contribution_svc.domain.figures import Figure
from contribution_svc.domain.in_force import InForce
from contribution_svc.domain.policy import Days, InsuranceRules, Pack
from contribution_svc.usecases.in_force import what_was_in_force
from contribution_svc.usecases.library import Library
from shared.clock import Clock, china_day
from shared.db import Engine, tenant
from shared.http_writes import Page
from shared.values import Insurance, LevyPeriod


class RangeOut(BaseModel):
    """Millionths, both ends inclusive; `step` 0: any value between."""

    least: int = Field(examples=[50_000])
    most: int | None = Field(examples=[120_000])
    step: int = Field(examples=[10_000])


class FigureOut(BaseModel):
    """One dated value: fen, or millionths for rates; both days inclusive, null: still open.

    `value` null: no bound was published, or each employer has its own rate.
    """

    value: int | None = Field(examples=[500_000])
    effective_from: date = Field(examples=["2023-07-01"])
    effective_to: date | None = None
    known_since: date = Field(examples=["2023-06-20"])
    dated: bool = Field(
        description="False: the day of publication is not known; `known_since` is the first day."
    )
    source: str = Field(examples=["《中华人民共和国社会保险法》第八十六条"])
    document: str = Field(examples=["浙人社发〔2025〕52号"])
    confidence: str | None = Field(
        examples=["A"],
        description="A restated notice, B one source, C disputed, D derived, U unverified.",
    )
    note: str
    dispute: str = Field(description="What other sources have instead.")
    provisional: bool = Field(description="Carried over until a notice comes.")
    invented: bool = Field(description="A figure of an example city, of no real notice.")
    own: RangeOut | None = Field(description="Of an employer's own rate: what it may be.")


class InsuranceOut(BaseModel):
    """One insurance of the scheme, with the authority that records it."""

    insurance: str = Field(examples=["medical"])
    authority: str = Field(examples=["medical-990100"])
    floor_fen: list[FigureOut]
    ceiling_fen: list[FigureOut]
    employer_rate_ppm: list[FigureOut]
    employee_rate_ppm: list[FigureOut]
    employer_fixed_fen: list[FigureOut]
    employee_fixed_fen: list[FigureOut]
    employer_rounding: str = Field(examples=["fen_half_up"])
    employee_rounding: str = Field(examples=["fen_half_up"])
    equal_sides: bool = Field(description="Both sides pay one own rate.")


class DaysOut(BaseModel):
    """The city's days from `effective_from` on; unrolled."""

    effective_from: date
    open_day: int = Field(examples=[25], description="Of the month before the levy period.")
    open_at: str = Field(examples=["06:00"])
    filing_day: int = Field(examples=[15])
    debit_day: int = Field(examples=[10])
    record_working_days: int = Field(examples=[5])
    roll: str = Field(examples=["next_working_day"])
    look_up_at: str = Field(examples=["08:00"])
    months_after: int = Field(examples=[0], description="Months after the levy period's own.")
    source: str
    confidence: str | None
    note: str


class ReasonOut(BaseModel):
    """Why an insurance is not due: its code, words for people, the law."""

    code: str = Field(examples=["retired_rehired"])
    words: str = Field(examples=["退休返聘，无需参保"])
    source: str


class PersonKindOut(BaseModel):
    """人员类别, with why it is exempt from which insurances, or blocked in which until that is
    settled.
    """

    code: str = Field(examples=["retired_rehired"])
    name: str = Field(examples=["退休返聘"])
    exempt: dict[str, ReasonOut] = Field(description="By insurance.")
    blocked: dict[str, ReasonOut] = Field(description="By insurance.")
    source: str


class InjuryClassesOut(BaseModel):
    """工伤行业类别: the national rates of the eight classes, and what a float may make of them."""

    rates_ppm: list[int] = Field(examples=[[2_000, 4_000, 7_000]])
    floats_percent: list[int] = Field(examples=[[50, 80, 100, 120, 150]])
    confidence: str = Field(examples=["B"])
    source: str


class PolicyOut(BaseModel):
    """A city's policy pack; `sha256` names its content."""

    city: str = Field(examples=["990100"])
    name: str = Field(examples=["示例甲市"])
    collector: str = Field(examples=["tax-990100"])
    passes_detail_on: bool
    contribution_year_starts: int = Field(examples=[7], description="Month.")
    known_since: date
    sha256: str
    days: list[DaysOut]
    insurances: list[InsuranceOut]
    merged: dict[str, str] = Field(
        description="Insurances without a line of their own, and that within which each is.",
        examples=[{"maternity": "medical"}],
    )
    average_wage_fen: list[FigureOut]
    remarks: list[str]
    late_fee_ppm_per_day: list[FigureOut]
    injury_classes: InjuryClassesOut
    person_kinds: list[PersonKindOut]


class CityOut(BaseModel):
    """A city whose policy is here, from which day on, and the youngest notice in it."""

    city: str = Field(examples=["310000"])
    name: str = Field(examples=["上海"])
    first_day: date
    known_since: date


class InForceOut(BaseModel):
    """What was in force for an insurance and a levy period, as known on a day.

    Fen and millionths. A bound is null where none was published, a rate where each employer has its
    own. `figures` by key (floor, ceiling, employer_rate, ...), each with its notice.
    """

    city: str = Field(examples=["310000"])
    insurance: str = Field(examples=["pension"])
    levy_period: str = Field(examples=["2026-07"])
    known_on: date
    effective_from: date
    effective_to: date | None
    floor_fen: int | None
    ceiling_fen: int | None
    employer_ppm: int | None
    employee_ppm: int | None
    employer_fixed_fen: int
    employee_fixed_fen: int
    figures: dict[str, FigureOut]
    warnings: list[str] = Field(description="What is unverified, disputed, derived or provisional.")
    sentence: str = Field(description="All of it in one sentence.")


def routes(engine: Engine, library: Library, clock: Clock) -> APIRouter:
    router = APIRouter(tags=["policies"])
    _add_in_force(router, engine, library, clock)

    @router.get("/policies")
    async def list_policies(caller: Anyone) -> Page[CityOut]:
        """Every city whose policy is here, by code; they fit on one page."""
        async with tenant(engine, caller) as conn:
            policies = await library.in_force(conn)
        return Page(items=[_city(pack) for pack in sorted(policies, key=lambda pack: pack.city)])

    @router.get("/policies/{city}")
    async def get_policy(
        city: Annotated[str, Path(max_length=20, examples=["990100"])],
        caller: Anyone,
    ) -> PolicyOut:
        """What the service reckons with for one city, whole."""
        async with tenant(engine, caller) as conn:
            policies = await library.in_force(conn)
        return _policy(policies.of(city))

    return router


def _add_in_force(router: APIRouter, engine: Engine, library: Library, clock: Clock) -> None:
    @router.get("/policies/{city}/in-force")
    async def get_in_force(
        city: Annotated[str, Path(max_length=20, examples=["310000"])],
        insurance: Annotated[Insurance, Query(examples=["pension"])],
        levy_period: LevyPeriodText,
        caller: Anyone,
        known_on: Annotated[Day | None, Query(description="Today without it.")] = None,
    ) -> InForceOut:
        """What was in force, as known on that day, by which notice, and what is doubtful of it."""
        period = LevyPeriod.parse(levy_period)
        known = known_on if known_on is not None else china_day(clock.now())
        async with tenant(engine, caller) as conn:
            policies = await library.in_force(conn)
        return _in_force(what_was_in_force(policies, city, insurance, period, known))


def _in_force(found: InForce) -> InForceOut:
    terms = found.terms
    return InForceOut(
        city=found.pack.city,
        insurance=terms.insurance,
        levy_period=str(found.period),
        known_on=found.known_on,
        effective_from=terms.effective_from,
        effective_to=terms.effective_to,
        floor_fen=terms.floor_fen,
        ceiling_fen=terms.ceiling_fen,
        employer_ppm=terms.employer_ppm,
        employee_ppm=terms.employee_ppm,
        employer_fixed_fen=terms.employer_fixed_fen,
        employee_fixed_fen=terms.employee_fixed_fen,
        figures={key: _figure(figure) for key, figure in found.figures.items()},
        warnings=[*terms.warnings, *found.day_warnings],
        sentence=found.sentence,
    )


def _city(pack: Pack) -> CityOut:
    return CityOut(
        city=pack.city,
        name=pack.name,
        first_day=pack.first_day(),
        known_since=pack.known_since(date.max),
    )


def _policy(pack: Pack) -> PolicyOut:
    return PolicyOut(
        city=pack.city,
        name=pack.name,
        collector=pack.collector,
        passes_detail_on=pack.passes_detail_on,
        contribution_year_starts=pack.contribution_year_starts,
        known_since=pack.known_since(date.max),
        sha256=pack.sha256,
        days=[_days(days) for days in pack.days],
        insurances=[_insurance(rules) for rules in pack.insurances.values()],
        merged={str(one): str(into) for one, into in pack.merged.items()},
        average_wage_fen=[_figure(figure) for figure in pack.average_wage],
        remarks=list(pack.remarks),
        late_fee_ppm_per_day=[_figure(figure) for figure in pack.late_fee],
        injury_classes=InjuryClassesOut(
            rates_ppm=list(pack.national.injury_classes_ppm),
            floats_percent=list(pack.national.injury_floats_percent),
            confidence=pack.national.injury_confidence,
            source=pack.national.injury_source,
        ),
        person_kinds=[
            PersonKindOut(
                code=kind.code,
                name=kind.name,
                exempt=_reasons(pack, kind.exempt),
                blocked=_reasons(pack, kind.blocked),
                source=kind.source,
            )
            for kind in pack.person_kinds.values()
        ],
    )


def _reasons(pack: Pack, codes: Mapping[Insurance, str]) -> dict[str, ReasonOut]:
    reasons = pack.national.reasons
    return {
        str(insurance): ReasonOut.model_validate(reasons[code], from_attributes=True)
        for insurance, code in codes.items()
    }


def _days(days: Days) -> DaysOut:
    return DaysOut.model_validate(days, from_attributes=True)


def _insurance(rules: InsuranceRules) -> InsuranceOut:
    return InsuranceOut(
        insurance=rules.insurance,
        authority=rules.authority,
        floor_fen=[_figure(figure) for figure in rules.floor],
        ceiling_fen=[_figure(figure) for figure in rules.ceiling],
        employer_rate_ppm=[_figure(figure) for figure in rules.employer_rate],
        employee_rate_ppm=[_figure(figure) for figure in rules.employee_rate],
        employer_fixed_fen=[_figure(figure) for figure in rules.employer_fixed],
        employee_fixed_fen=[_figure(figure) for figure in rules.employee_fixed],
        employer_rounding=rules.employer_rounding,
        employee_rounding=rules.employee_rounding,
        equal_sides=rules.equal_sides,
    )


def _figure(figure: Figure) -> FigureOut:
    return FigureOut.model_validate(figure, from_attributes=True)
