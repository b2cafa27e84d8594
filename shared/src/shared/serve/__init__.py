"""How a service runs: settings, sign-in, the HTTP application, jobs, health, and its command
line.
"""

from shared.serve.app import Fault, Problem, make_app
from shared.serve.cli import command, openapi_document
from shared.serve.jobs import Job, JobRunner
from shared.serve.recovery import newest_of
from shared.serve.service import Command, Keeper, Parts, Recovery, Service, Wiring, serve
from shared.serve.settings import (
    ClockSource,
    Profile,
    ServiceSettings,
    SettingsRefused,
    load,
    secret_from,
)
from shared.serve.sign_in import Caller, IssuerUnreachable, NotSignedIn, SignIn, require

__all__ = [
    "Caller",
    "ClockSource",
    "Command",
    "Fault",
    "IssuerUnreachable",
    "Job",
    "JobRunner",
    "Keeper",
    "NotSignedIn",
    "Parts",
    "Problem",
    "Profile",
    "Recovery",
    "Service",
    "ServiceSettings",
    "SettingsRefused",
    "SignIn",
    "Wiring",
    "command",
    "load",
    "make_app",
    "newest_of",
    "openapi_document",
    "require",
    "secret_from",
    "serve",
]
