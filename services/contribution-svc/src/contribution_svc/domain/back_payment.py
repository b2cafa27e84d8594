"""补缴: how far back a city lets a missing month be made good, and what people are told of it."""

from datetime import date

from contribution_svc.domain.figures import figure_at
from contribution_svc.domain.policy import Pack
from shared.values import LevyPeriod


def warning(pack: Pack, period: LevyPeriod, today: date) -> str:
    """One sentence where the month is further back than can be done online, or where nobody knows
    how far that is; empty where it can. Nothing is refused for it: the duty to pay stays
    (社会保险法 art. 63), and the collector decides at its counter.
    """
    figure = figure_at(pack.back_payment, today, today)
    if figure is None or figure.value is None:
        return f"{pack.name}能补缴几个月前的费款未知，请先向征收机构核实{period}能否补缴"
    months = (today.year - period.year) * 12 + today.month - period.month
    if months <= figure.value:
        return ""
    return (
        f"{period}距今{months}个月，超过{pack.name}可线上补缴的{figure.value}个月"
        f"（{figure.source}），须到征收机构办理"
    )
