"""A city's policy as it stands: every dated figure with its source."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from contribution_svc.api.callers import Anyone
from contribution_svc.domain.figures import Figure
from contribution_svc.domain.policy import Days, InsuranceRules, Pack
from contribution_svc.policy import Policies


class FigureOut(BaseModel):
    """One dated value: fen, or millionths for rates; both days inclusive, null: still open."""

    value: int | None = Field(examples=[500_000])
    effective_from: date = Field(examples=["2023-07-01"])
    effective_to: date | None = None
    known_since: date = Field(examples=["2023-06-20"])
    source: str = Field(examples=["《中华人民共和国社会保险法》第八十六条"])
    invented: bool = Field(description="A figure of an example city, of no real notice.")


class InsuranceOut(BaseModel):
    """One insurance of the scheme, with the authority that records it."""

    insurance: str = Field(examples=["medical"])
    authority: str = Field(examples=["medical-990100"])
    floor_fen: list[FigureOut]
    ceiling_fen: list[FigureOut]
    employer_rate_ppm: list[FigureOut]
    employee_rate_ppm: list[FigureOut]
    employer_rounding: str = Field(examples=["fen_half_up"])
    employee_rounding: str = Field(examples=["fen_half_up"])


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
    source: str


class PersonKindOut(BaseModel):
    """人员类别, with why it is exempt from which insurances."""

    code: str = Field(examples=["retired_rehired"])
    name: str = Field(examples=["退休返聘"])
    exempt: dict[str, str] = Field(examples=[{"pension": "retired_rehired"}])


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
    late_fee_ppm_per_day: list[FigureOut]
    person_kinds: list[PersonKindOut]


def routes(policies: Policies) -> APIRouter:
    router = APIRouter(tags=["policies"])

    @router.get("/policies/{city}")
    async def get_policy(
        city: Annotated[str, Path(max_length=20, examples=["990100"])],
        _: Anyone,
    ) -> PolicyOut:
        """What the service reckons with for one city, whole."""
        return _policy(policies.of(city))

    return router


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
        late_fee_ppm_per_day=[_figure(figure) for figure in pack.late_fee],
        person_kinds=[
            PersonKindOut(
                code=kind.code,
                name=kind.name,
                exempt={str(insurance): reason for insurance, reason in kind.exempt.items()},
            )
            for kind in pack.person_kinds.values()
        ],
    )


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
        employer_rounding=rules.employer_rounding,
        employee_rounding=rules.employee_rounding,
    )


def _figure(figure: Figure) -> FigureOut:
    return FigureOut.model_validate(figure, from_attributes=True)
