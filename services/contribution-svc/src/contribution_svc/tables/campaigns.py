"""年度基数申报: campaigns and who is in them."""

from sqlalchemy import (
    Column,
    Index,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from contribution_svc.tables.columns import (
    count,
    day,
    key,
    metadata,
    moment,
    owner,
    words,
)

base_campaigns = Table(
    "base_campaigns",
    metadata,
    key("campaign_id"),
    owner(),
    words("contribution_year"),
    day("confirm_by"),
    words("opened_by"),
    moment("opened_at"),
    moment("fill_at", optional=True),
    moment("closed_at", optional=True),
    UniqueConstraint("employer_id", "contribution_year", name="base_campaigns_once"),
    Index("base_campaigns_to_fill", "fill_at", postgresql_where=text("fill_at IS NOT NULL")),
)
"""`fill_at`: when to look for people of the roster who are not in it yet."""

base_members = Table(
    "base_members",
    metadata,
    key("campaign_id"),
    key("employee_id"),
    owner(),
    words("account_id"),
    words("city"),
    words("levy_period"),
    day("confirm_by"),
    Column("state", Text, nullable=False, server_default=text("'computing'")),
    count("version"),
    Column("base", JSONB),
    words("reason"),
    words("words"),
    words("answer"),
    words("answered_by"),
    moment("changed_at", optional=True),
    moment("compute_at", optional=True),
    count("told"),
    Index("base_members_of_employer", "employer_id", "campaign_id"),
    Index("base_members_of_employee", "employee_id"),
    Index("base_members_to_do", "compute_at", postgresql_where=text("compute_at IS NOT NULL")),
)
"""One row per campaign and employee of the roster; `compute_at`: when to compute the base (again),
null while it is up to date. `levy_period` is the first of the contribution year in its city, `told`
the version under which the answer was last told.
"""
