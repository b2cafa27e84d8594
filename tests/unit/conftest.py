"""Properties may take their time, everywhere: a busy machine is no failing test."""

from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
