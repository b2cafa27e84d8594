"""What notify-svc refuses, as statements."""


class TemplateBroken(Exception):
    """A template file cannot be used: the message names the file and what is wrong with it."""
