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
    policy_proposals,
    policy_releases,
    policy_updates,
    refunds,
    stated_lines,
    statements,
    webhooks,
)
from contribution_svc.usecases.updates import Trust
from shared.clock import Clock
from shared.db import Engine


def routes(
    engine: Engine,
    worker: Engine,
    clock: Clock,
    trust: Trust,
    webhook_secret: Callable[[], str],
) -> Sequence[APIRouter]:
    """Every route; `engine` sees what the caller may see, `worker` takes the bank's webhooks in
    and serves who releases policy."""
    library = trust.library
    return (
        policies.routes(engine, library, clock),
        policy_proposals.routes(worker, clock, library),
        policy_releases.routes(engine),
        policy_updates.routes(worker, clock, trust),
        assessments.routes(engine),
        explanations.routes(engine, clock, library),
        campaigns.routes(engine, clock, library),
        confirmations.routes(engine, clock),
        stated_lines.routes(engine),
        declarations.routes(engine, clock, library),
        arrears.routes(engine, clock, library),
        deferrals.routes(engine, clock, library),
        refunds.routes(engine, clock, library),
        statements.routes(engine, clock, library),
        webhooks.routes(worker, clock, webhook_secret),
    )
