"""Policy packs as they came into force, and how: proposals, whom they affect, signed updates."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from shared.migrate import grant, protect

revision = "0007_policy_releases"
down_revision: str | None = "0006_arrears"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=True)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default=sa.text("''"))


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default=sa.text("0"))


def _json(name: str, empty: str) -> sa.Column[object]:
    return sa.Column(name, JSONB, nullable=False, server_default=sa.text(f"'{empty}'"))


def _at(name: str, *, optional: bool = False) -> sa.Column[object]:
    return sa.Column(name, TIMESTAMP(timezone=True), nullable=optional)


def upgrade() -> None:
    op.create_table(
        "policy_packs",
        _key("city"),
        sa.Column("version", sa.BigInteger, primary_key=True),
        _text("sha256"),
        sa.Column("content", sa.LargeBinary, nullable=False),
        _text("proposal_id"),
        _at("in_force_from"),
    )
    # What was in force is never changed: declared months rest on it.
    grant(op, "policy_packs", api="SELECT", worker="SELECT, INSERT")
    _create_proposals()
    _create_effects()
    op.create_table(
        "policy_updates",
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        _text("sha256"),
        _text("key_id"),
        _text("origin"),
        _text("taken_by"),
        _at("taken_at"),
        _text("note"),
        _json("proposal_ids", "[]"),
    )
    grant(op, "policy_updates", worker="SELECT, INSERT")
    op.create_table(
        "policy_polls",
        _key("address"),
        _at("poll_at"),
        _at("reached_at", optional=True),
        _at("failing_since", optional=True),
        _text("reason"),
    )
    grant(op, "policy_polls")


def _create_proposals() -> None:
    op.create_table(
        "policy_proposals",
        _key("proposal_id"),
        _text("city"),
        _text("city_name"),
        _text("sha256"),
        sa.Column("content", sa.LargeBinary, nullable=False),
        _text("note"),
        _text("origin"),
        _text("proposed_by"),
        _at("proposed_at"),
        _text("state"),
        _text("against_sha256"),
        _json("changes", "[]"),
        sa.Column("known_since", sa.Date, nullable=False),
        _at("simulate_at", optional=True),
        _text("simulated_through"),
        _at("simulated_at", optional=True),
        _text("levy_period"),
        _json("changed_periods", "[]"),
        _count("people"),
        _count("employer_fen"),
        _count("employee_fen"),
        _count("declared_months"),
        _text("approved_by"),
        _text("approved_sha256"),
        _at("approved_at", optional=True),
        _at("release_at", optional=True),
        _at("effective_at", optional=True),
        _count("told"),
        _text("ended_by"),
        _text("ended_reason"),
    )
    op.create_index(
        "policy_proposals_open",
        "policy_proposals",
        ["city", "sha256"],
        unique=True,
        postgresql_where=sa.text("state IN ('proposed', 'simulated', 'approved')"),
    )
    op.create_index(
        "policy_proposals_approved",
        "policy_proposals",
        ["city"],
        unique=True,
        postgresql_where=sa.text("state = 'approved'"),
    )
    op.create_index(
        "policy_proposals_page",
        "policy_proposals",
        [sa.text("proposed_at DESC"), sa.text("proposal_id DESC")],
    )
    op.create_index(
        "policy_proposals_to_simulate",
        "policy_proposals",
        ["simulate_at"],
        postgresql_where=sa.text("simulate_at IS NOT NULL"),
    )
    op.create_index(
        "policy_proposals_to_release",
        "policy_proposals",
        ["release_at"],
        postgresql_where=sa.text("release_at IS NOT NULL"),
    )
    # Content and hash are not among what may be changed: an edited pack is another proposal.
    grant(op, "policy_proposals", api="SELECT", worker=f"SELECT, INSERT, UPDATE ({_CHANGES})")


_CHANGES = ", ".join(
    (
        "state",
        "simulate_at",
        "simulated_through",
        "simulated_at",
        "levy_period",
        "changed_periods",
        "people",
        "employer_fen",
        "employee_fen",
        "declared_months",
        "approved_by",
        "approved_sha256",
        "approved_at",
        "release_at",
        "effective_at",
        "told",
        "ended_by",
        "ended_reason",
    )
)


def _create_effects() -> None:
    op.create_table(
        "policy_effects",
        _key("proposal_id"),
        _key("employee_id"),
        sa.Column("employer_id", sa.Text, nullable=False),
        _count("employer_fen_before"),
        _count("employer_fen_after"),
        _count("employee_fen_before"),
        _count("employee_fen_after"),
        _json("insurances", "{}"),
    )
    op.create_index(
        "policy_effects_page", "policy_effects", ["proposal_id", "employer_id", "employee_id"]
    )
    protect(op, "policy_effects", employee=True)
    grant(op, "policy_effects", api="SELECT", worker="SELECT, INSERT, DELETE")
    op.create_table(
        "policy_employer_effects",
        _key("proposal_id"),
        _key("employer_id"),
        _count("people"),
        _count("employer_fen"),
        _count("employee_fen"),
        _count("declared_months"),
    )
    op.create_index(
        "policy_employer_effects_page",
        "policy_employer_effects",
        ["employer_id", "proposal_id"],
    )
    protect(op, "policy_employer_effects")
    grant(op, "policy_employer_effects", api="SELECT", worker="SELECT, INSERT, DELETE")
