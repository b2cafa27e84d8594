"""HTTP door: parse, one use case, reply."""

from collections.abc import Callable, Sequence

from fastapi import APIRouter

from contribution_svc.api import (
    arrears,
    assessments,
    campaigns,
    confirmations,
    declarations,
    deferrals,
    explanations,
    policies,
    stated_lines,
    statements,
    webhooks,
)
from contribution_svc.usecases.allocation import Rules
from shared.clock import Clock
from shared.db import Engine


def routes(
    engine: Engine,
    worker: Engine,
    clock: Clock,
    rules: Rules,
    webhook_secret: Callable[[], str],
) -> Sequence[APIRouter]:
    """Every route; `engine` sees what the caller may see, `worker` takes the bank's webhooks in."""
    return (
        policies.routes(rules.policies, clock),
        assessments.routes(engine),
        explanations.routes(engine, clock, rules),
        campaigns.routes(engine, clock, rules),
        confirmations.routes(engine, clock),
        stated_lines.routes(engine),
        declarations.routes(engine, clock, rules),
        arrears.routes(engine, clock, rules),
        deferrals.routes(engine, clock, rules),
        statements.routes(engine, clock, rules),
        webhooks.routes(worker, clock, webhook_secret),
    )
