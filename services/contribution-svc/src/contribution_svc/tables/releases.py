"""Policy packs as they came into force, and how: proposals, whom they affect, signed updates."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, text

from contribution_svc.tables.columns import (
    count,
    day,
    document,
    key,
    metadata,
    moment,
    owner,
    words,
)

policy_packs = Table(
    "policy_packs",
    metadata,
    key("city"),
    Column("version", BigInteger, primary_key=True),
    words("sha256"),
    Column("content", LargeBinary, nullable=False),
    words("proposal_id"),
    moment("in_force_from"),
)
"""Every pack that came into force, as its file was: declared months rest on it. `version` is that
of PolicyChanged; `proposal_id` is empty where it shipped with the service.
"""

policy_proposals = Table(
    "policy_proposals",
    metadata,
    key("proposal_id"),
    words("city"),
    words("city_name"),
    words("sha256"),
    Column("content", LargeBinary, nullable=False),
    words("note"),
    words("origin"),
    words("proposed_by"),
    moment("proposed_at"),
    words("state"),
    words("against_sha256"),
    document("changes", "[]"),
    day("known_since"),
    moment("simulate_at", optional=True),
    words("simulated_through"),
    moment("simulated_at", optional=True),
    words("levy_period"),
    document("changed_periods", "[]"),
    count("people"),
    count("employer_fen"),
    count("employee_fen"),
    count("declared_months"),
    words("approved_by"),
    words("approved_sha256"),
    moment("approved_at", optional=True),
    moment("release_at", optional=True),
    moment("effective_at", optional=True),
    count("told"),
    words("ended_by"),
    words("ended_reason"),
    Index(
        "policy_proposals_open",
        "city",
        "sha256",
        unique=True,
        postgresql_where=text("state IN ('proposed', 'simulated', 'approved')"),
    ),
    Index(
        "policy_proposals_approved",
        "city",
        unique=True,
        postgresql_where=text("state = 'approved'"),
    ),
    Index("policy_proposals_page", text("proposed_at DESC"), text("proposal_id DESC")),
    Index(
        "policy_proposals_to_simulate",
        "simulate_at",
        postgresql_where=text("simulate_at IS NOT NULL"),
    ),
    Index(
        "policy_proposals_to_release",
        "release_at",
        postgresql_where=text("release_at IS NOT NULL"),
    ),
)
"""A pack on its way into force; its content cannot be changed. `against_sha256`: the pack with
which it was compared. The simulation, of `levy_period`: new less old, in fen a month, of all
employers; `declared_months` of employees lie in `changed_periods`. `release_at`: when the job looks
at it next; `told`: the version of its announcements.
"""

policy_effects = Table(
    "policy_effects",
    metadata,
    key("proposal_id"),
    key("employee_id"),
    owner(),
    count("employer_fen_before"),
    count("employer_fen_after"),
    count("employee_fen_before"),
    count("employee_fen_after"),
    document("insurances", "{}"),
    Index("policy_effects_page", "proposal_id", "employer_id", "employee_id"),
)
"""Whom a proposal affects, in fen of one levy period."""

policy_employer_effects = Table(
    "policy_employer_effects",
    metadata,
    key("proposal_id"),
    key("employer_id"),
    count("people"),
    count("employer_fen"),
    count("employee_fen"),
    count("declared_months"),
    Index("policy_employer_effects_page", "employer_id", "proposal_id"),
)
"""The same per employer with an account in the city: new less old."""

policy_updates = Table(
    "policy_updates",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    words("sha256"),
    words("key_id"),
    words("origin"),
    words("taken_by"),
    moment("taken_at"),
    words("note"),
    document("proposal_ids", "[]"),
)
"""Signed bundles that were taken in: an older one is a replay."""

policy_polls = Table(
    "policy_polls",
    metadata,
    key("address"),
    moment("poll_at"),
    moment("reached_at", optional=True),
    moment("failing_since", optional=True),
    words("reason"),
)
"""When the update address is asked next, and since when it gives nothing that can be taken in."""
