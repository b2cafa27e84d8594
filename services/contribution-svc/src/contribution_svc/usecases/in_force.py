"""Asking the policies: what was in force for a city, insurance and levy period, as known on a
day.
"""

from datetime import date

from contribution_svc.domain.in_force import InForce, in_force
from contribution_svc.policy import Policies
from shared.values import Insurance, LevyPeriod


def what_was_in_force(
    policies: Policies, city: str, insurance: Insurance, period: LevyPeriod, known_on: date
) -> InForce:
    """PolicyUnknown for a city without a pack or a levy period about which nothing was known,
    InsuranceNotInScheme for an insurance without a line of its own there.
    """
    return in_force(policies.of(city), insurance, period, known_on)
