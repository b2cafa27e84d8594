"""The HTTP door: `/me` for employees, `/hr` for HR staff, authorities for everyone signed in."""

from fastapi import APIRouter

from portal_svc.api import employee, hr
from portal_svc.owners import Owners
from portal_svc.usecases import OpenSealer
from shared.db import Engine


def routes(engine: Engine, open_sealer: OpenSealer, owners: Owners) -> list[APIRouter]:
    """All routes of portal-svc."""
    return [employee.routes(engine, owners), hr.routes(engine, open_sealer)]
