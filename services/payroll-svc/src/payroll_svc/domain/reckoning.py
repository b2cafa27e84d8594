"""From spells, standing items and a month's entries to pay items, each with its reckoning."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from payroll_svc.domain.pay_items import (
    BASE_SALARY,
    Entry,
    PayItem,
    Reckoned,
    Standing,
    Step,
    half_up,
    percent,
    price_text,
    thousandths,
)
from payroll_svc.domain.people import Spell
from shared.values import LevyPeriod, fen_text

PAID_DAYS_HUNDREDTHS = 2_175
"""月计薪天数 21.75, in hundredths: (365 - 104) / 12 (人社部发〔2025〕2号)."""

PAID_HOURS = 8
"""Hours of a working day (劳动法 art. 36)."""

Catalogue = Mapping[str, PayItem]
"""The items that an employer pays by, by code."""


@dataclass(frozen=True, slots=True)
class Month:
    """What one person's pay of one month is reckoned from.

    `agreed_wage_fen` is the monthly wage before the first standing base salary.
    """

    period: LevyPeriod
    spells: tuple[Spell, ...]
    agreed_wage_fen: int
    standing: tuple[Standing, ...] = ()
    entries: tuple[Entry, ...] = ()


def wage_on(month: Month, day: date) -> int:
    """The monthly wage in force on a day, in fen; 0 where none is known."""
    wage_fen = _standing_on(month.standing, BASE_SALARY, day)
    return month.agreed_wage_fen if wage_fen is None else wage_fen


def reckoned(month: Month, catalogue: Catalogue) -> tuple[Reckoned, ...]:
    """Every item of the month, the base salary first and the others in the order of their codes;
    the order of what came in is nothing.

    KeyError where an entry names no item of the catalogue: the doors let none in.
    """
    codes = {BASE_SALARY} | {standing.code for standing in month.standing}
    items = [_standing_item(month, catalogue[code]) for code in codes]
    items += [_entered(month, catalogue[entry.code], entry) for entry in month.entries]
    found = [item for item in items if item is not None]
    return tuple(sorted(found, key=_place))


def _place(item: Reckoned) -> tuple[bool, str, int]:
    return (item.code != BASE_SALARY, item.code, item.amount_fen)


def _standing_on(standing: Sequence[Standing], code: str, day: date) -> int | None:
    begun = [one for one in standing if one.code == code and one.since <= day]
    if not begun:
        return None
    newest = max(begun, key=lambda one: one.since)
    return 0 if newest.until is not None and newest.until < day else newest.amount_fen


def _standing_item(month: Month, item: PayItem) -> Reckoned | None:
    first, last = month.period.first_day(), month.period.last_day()
    days = [first + timedelta(days=n) for n in range(last.day)]
    employed = _employed_on(month.spells, days)
    if not employed:
        return None
    if item.code == BASE_SALARY:
        amounts = {day: wage_on(month, day) for day in employed}
        return _by_days(item, days, amounts)
    amounts = {day: _standing_on(month.standing, item.code, day) or 0 for day in employed}
    if not item.by_days:
        amount_fen = amounts[employed[-1]]
        words = f"{item.name}：每月 {fen_text(amount_fen)}"
        return (
            _made(item, amount_fen, words, (Step("每月金额", amount_fen),)) if amount_fen else None
        )
    made = _by_days(item, days, amounts)
    return made if made.amount_fen else None


def _employed_on(spells: Sequence[Spell], days: Sequence[date]) -> Sequence[date]:
    """Nearly everyone is, on all of a month's days, by one spell: not asked day by day."""
    for spell in spells:
        if spell.since <= days[0] and (spell.until is None or spell.until >= days[-1]):
            return days
    return [day for day in days if any(spell.touches(day, day) for spell in spells)]


def _by_days(item: PayItem, days: Sequence[date], amounts: Mapping[date, int]) -> Reckoned:
    """计薪日 are Monday to Friday, paid holidays included.

    Employed on all of the month's: the month's amount, or where it changed inside, each amount by
    its share of the month's days. Else the days x amount / 21.75, never more than the amount. A
    half fen rounds up, once.
    """
    paid = [(day, amount) for day, amount in amounts.items() if day.weekday() < 5]
    parts = [
        (amount, len(list(group))) for amount, group in groupby(paid, key=lambda part: part[1])
    ]
    days_of_month = sum(1 for day in days if day.weekday() < 5)
    # Who joins on the first Monday, or leaves on the last Friday, misses no paid day: of February's
    # twenty, 20 / 21.75 would take 8 % off a month that was worked in full.
    whole = len(paid) == days_of_month
    if whole and len(parts) == 1:
        amount_fen = parts[0][0]
        is_all = len(amounts) == len(days)
        how = "全月在职" if is_all else f"当月 {days_of_month} 个计薪日均在职"
        words = f"{item.name}：{how}，{fen_text(amount_fen)}"
        return _made(item, amount_fen, words, (Step("月标准", amount_fen),))
    divisor = days_of_month * 100 if whole else PAID_DAYS_HUNDREDTHS
    exact = sum(amount * count * 100 for amount, count in parts)
    most_fen = max((amount for amount, _ in parts), default=0)
    is_cut = half_up(exact, divisor) > most_fen
    amount_fen = most_fen if is_cut else half_up(exact, divisor)
    by = f"{days_of_month} 天" if whole else "21.75"
    terms = " + ".join(f"{fen_text(amount)} × {count} 天 ÷ {by}" for amount, count in parts)
    limit = "，以月标准为限" if is_cut else ""
    words = f"{item.name}：{terms or '任职期间没有计薪日'}{limit} = {fen_text(amount_fen)}"
    steps = [
        step
        for amount, count in parts
        for step in (Step("月标准", amount), Step("计薪日", count * 1000, "thousandths"))
    ]
    return _made(item, amount_fen, words, (*steps, Step("除数", divisor, "hundredths")))


def _entered(month: Month, item: PayItem, entry: Entry) -> Reckoned | None:
    if entry.is_empty:
        return None
    return _WAYS[item.way](month, item, entry)


def _amount(_: Month, item: PayItem, entry: Entry) -> Reckoned:
    fen = entry.amount_fen
    return _made(item, fen, f"{item.name}：录入 {fen_text(fen)}", (Step("录入金额", fen),))


def _pieces(month: Month, item: PayItem, entry: Entry) -> Reckoned:
    if entry.amount_fen:
        # A department's file says what its pieces came to.
        return _amount(month, item, entry)
    price = entry.unit_price_fen_hundredths
    fen = entry.pieces_fen
    words = (
        f"{item.name}：{thousandths(entry.quantity_thousandths)} 件 × {price_text(price)}"
        f" = {fen_text(fen)}"
    )
    steps = (
        Step("数量", entry.quantity_thousandths, "thousandths"),
        Step("单价", price, "fen_hundredths"),
    )
    return _made(item, fen, words, steps)


def _hours(month: Month, item: PayItem, entry: Entry) -> Reckoned:
    wage_fen = last_wage(month)
    exact = wage_fen * entry.quantity_thousandths * item.rate_ppm * 100
    fen = half_up(exact, PAID_DAYS_HUNDREDTHS * PAID_HOURS * 1000 * 1_000_000)
    words = (
        f"{item.name}：{fen_text(wage_fen)} ÷ 21.75 ÷ {PAID_HOURS} ×"
        f" {thousandths(entry.quantity_thousandths)} 小时 × {percent(item.rate_ppm)}"
        f" = {fen_text(fen)}"
    )
    return _made(item, fen, words, _of_wage(wage_fen, "小时数", item, entry))


def _days(month: Month, item: PayItem, entry: Entry) -> Reckoned:
    wage_fen = last_wage(month)
    exact = wage_fen * entry.quantity_thousandths * item.rate_ppm * 100
    fen = half_up(exact, PAID_DAYS_HUNDREDTHS * 1000 * 1_000_000)
    # A month may have 23 working days: who was away on all of them owes nothing beside the month.
    most_fen = half_up(wage_fen * item.rate_ppm, 1_000_000)
    is_cut = item.deducts and fen > most_fen
    fen = most_fen if is_cut else fen
    words = (
        f"{item.name}：{fen_text(wage_fen)} ÷ 21.75 × {thousandths(entry.quantity_thousandths)} 天"
        f" × {percent(item.rate_ppm)}{'，以月工资为限' if is_cut else ''} = {fen_text(fen)}"
    )
    return _made(item, fen, words, _of_wage(wage_fen, "天数", item, entry))


_WAYS = {"amount": _amount, "pieces": _pieces, "hours": _hours, "days": _days}


def last_wage(month: Month) -> int:
    """The monthly wage of the last day of the month that is employed, else of its last day."""
    last = month.period.last_day()
    ends = [min(spell.until or last, last) for spell in month.spells if spell.since <= last]
    return wage_on(month, max(ends, default=last))


def _of_wage(wage_fen: int, quantity: str, item: PayItem, entry: Entry) -> tuple[Step, ...]:
    return (
        Step("月工资", wage_fen),
        Step(quantity, entry.quantity_thousandths, "thousandths"),
        Step("倍率", item.rate_ppm, "ppm"),
    )


def _made(item: PayItem, fen: int, words: str, steps: tuple[Step, ...]) -> Reckoned:
    """Signed by whether the item deducts."""
    return Reckoned(
        code=item.code,
        name=item.name,
        amount_fen=-fen if item.deducts else fen,
        part=item.part,
        counts_as_wage=item.counts_as_wage,
        taxed=item.taxed,
        reckoning=f"{words}（扣减）" if item.deducts else words,
        steps=steps,
    )
