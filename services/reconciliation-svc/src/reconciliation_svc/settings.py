"""The environment variables of reconciliation-svc: those of every service, and none of its own."""

from shared.serve import ServiceSettings


class Settings(ServiceSettings):
    """Nothing here can be set that would change a verdict: the rules are in `domain`."""
