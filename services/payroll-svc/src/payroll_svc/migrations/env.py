"""Alembic's entry: see shared.migrate."""

from payroll_svc.tables import metadata
from shared.migrate import run

run(metadata)
