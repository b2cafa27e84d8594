"""Employers' people: one row of a roster, spells of employment and how a new row changes them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from payroll_svc.domain.faults import Fault

PERSON_KINDS: dict[str, str] = {
    "": "regular",
    "正式": "regular",
    "正式员工": "regular",
    "在职": "regular",
    "在职员工": "regular",
    "合同制": "regular",
    "普通": "regular",
    "普通员工": "regular",
    "职工": "regular",
    "退休返聘": "retired_rehired",
    "外籍": "foreigner",
    "外籍人员": "foreigner",
    "外籍员工": "foreigner",
    "外国人": "foreigner",
    "港澳台": "hk_macao_taiwan",
    "港澳台人员": "hk_macao_taiwan",
    "港澳台（已在当地参保）": "hk_macao_taiwan_insured",
    "外籍（双边协定）": "foreigner_treaty",
    "实习": "intern",
    "实习生": "intern",
    "非全日制": "part_time",
    "非全日制用工": "part_time",
    "兼职": "part_time",
    "劳务派遣": "dispatched",
    "派遣": "dispatched",
    "他处参保": "insured_elsewhere",
    "由其他单位参保": "insured_elsewhere",
    "本市户籍": "local_household",
    "深户": "local_household",
    "非本市户籍": "non_local_household",
    "非深户": "non_local_household",
}
"""人员类别 as people write it, to the code of the policy packs' catalogue; the codes are accepted
too.
"""

DOCUMENTS: dict[str, str] = {
    "工作许可": "work_permit",
    "工作许可证": "work_permit",
    "外国人工作许可证": "work_permit",
    "就业证": "work_permit",
    "居留许可": "residence_permit",
    "身份证复印件": "id_copy",
    "身份证": "id_copy",
    "劳动合同": "labour_contract",
    "退休证": "retirement_certificate",
    "户口本": "household_register",
}
"""缺少材料 as people write it, to a code; the codes are accepted too."""


@dataclass(frozen=True, slots=True, order=True)
class Spell:
    """One stretch of employment, both ends included; `until` None means still running."""

    since: date
    department_id: str
    city: str
    account_id: str
    until: date | None = None

    def touches(self, first: date, last: date) -> bool:
        """Whether any day of the spell lies between the two days."""
        return self.since <= last and (self.until is None or self.until >= first)


@dataclass(frozen=True, slots=True)
class RosterRow:
    """One person of a roster file, read and resolved against the employer's departments and
    accounts.
    """

    row: int
    employee_id: str
    employee_no: str
    person_kind: str
    spell: Spell
    documents_missing: tuple[str, ...] = ()
    agreed_wage_fen: int = 0
    first_month_wage_fen: int = 0
    special_additional_fen: int = 0
    sub: str = ""
    cost_centre: str = ""
    first_fund_member: bool = False
    identity: tuple[tuple[str, str], ...] = ()

    @property
    def id_no(self) -> str:
        """The identity number in clear: only between the reader and the sealing."""
        return dict(self.identity)["id_no"]


@dataclass(frozen=True, slots=True)
class SealedIdentity:
    """A person's sealed data with the keyed hashes of the number (`id_index`) and of all of it."""

    id_index: str
    content_mark: str
    sealed: str
    wrapped_key: str
    root_key_id: str


@dataclass(frozen=True, slots=True)
class StagedPerson:
    """A good row of a roster, waiting to be applied; `row.identity` is empty, being sealed."""

    row: RosterRow
    identity: SealedIdentity


@dataclass(frozen=True, slots=True)
class Person:
    """An employee as stored, without personal data."""

    employee_id: str
    employee_no: str
    person_kind: str
    documents_missing: tuple[str, ...]
    agreed_wage_fen: int
    first_month_wage_fen: int
    special_additional_fen: int
    sub: str
    cost_centre: str
    spells: tuple[Spell, ...]
    version: int = 0
    first_fund_member: bool = False

    @property
    def left_on(self) -> date | None:
        """The last day of the last spell; None while one is still running."""
        ends = [spell.until for spell in self.spells]
        return None if None in ends else max((end for end in ends if end), default=None)


def department_in(person: Person, first: date, last: date) -> str | None:
    """The department of the person's last spell that touches the days; None if none does."""
    inside = [spell for spell in person.spells if spell.touches(first, last)]
    return max(inside, key=lambda spell: spell.since).department_id if inside else None


def after_row(known: Person | None, row: RosterRow) -> Person:
    """The employee as the roster row leaves them; the version grows only when something changed.

    The caller has made sure by `spell_fault` that the row's spell can follow the known ones.
    """
    wanted = Person(
        employee_id=row.employee_id,
        employee_no=row.employee_no,
        person_kind=row.person_kind,
        documents_missing=row.documents_missing,
        agreed_wage_fen=row.agreed_wage_fen,
        first_month_wage_fen=row.first_month_wage_fen,
        special_additional_fen=row.special_additional_fen,
        sub=row.sub,
        cost_centre=row.cost_centre,
        first_fund_member=row.first_fund_member,
        spells=with_spell(known.spells if known else (), row.spell),
        version=known.version if known else 0,
    )
    return known if wanted == known else replace(wanted, version=wanted.version + 1)


def with_spell(known: Sequence[Spell], new: Spell) -> tuple[Spell, ...]:
    """The spells after a roster row: the same first day corrects the last spell, a later one
    follows it.

    A spell that was still running when the next begins ends on the day before.
    """
    if not known:
        return (new,)
    *earlier, last = sorted(known, key=lambda spell: spell.since)
    if new.since == last.since:
        return (*earlier, new)
    day_before = new.since - timedelta(days=1)
    closed_on = day_before if last.until is None else min(last.until, day_before)
    return (*earlier, replace(last, until=closed_on), new)


def spell_fault(known: Sequence[Spell], new: Spell) -> str:
    """Why a row's spell cannot follow what is known, or an empty text."""
    if known and new.since < max(spell.since for spell in known):
        latest = max(spell.since for spell in known)
        return f"入职日期早于已登记的任职开始日期 {latest.isoformat()}"
    return ""


def roster_faults(
    staged: Sequence[StagedPerson],
    known: Mapping[str, Person],
    holders: Mapping[str, str],
    erased: Collection[str] = (),
) -> list[Fault]:
    """What of a roster does not fit the people already stored.

    `holders` maps the keyed hash of an identity number to the employee who has it. Two people who
    swap numbers in one file are no fault. Who is `erased` does not come back under the same id: the
    records of that id are nobody's any more.
    """
    indexes = {person.row.employee_id: person.identity.id_index for person in staged}
    faults: list[Fault] = []
    for person in staged:
        row = person.row
        holder = holders.get(person.identity.id_index, row.employee_id)
        if holder != row.employee_id and indexes.get(holder) in (None, person.identity.id_index):
            todo = "核对证件号码；同一人换了工号时沿用原工号"
            faults.append(Fault(row.row, "证件号码", "", "该证件号码已属于另一名员工", todo))
        if row.employee_id in erased:
            todo = "重新入职请使用新的工号"
            faults.append(
                Fault(row.row, "工号", row.employee_no, "该工号的身份资料已依法删除", todo)
            )
        before = known.get(row.employee_id)
        reason = spell_fault(before.spells if before else (), row.spell)
        if reason:
            value = row.spell.since.isoformat()
            faults.append(Fault(row.row, "入职日期", value, reason, "核对入职日期"))
    return faults
