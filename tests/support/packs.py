"""The article's change of policy as two packs of one city: the ceiling goes from 24,000 to 25,500
in July 2024.
"""

import importlib.resources
import re

AFTER = (
    importlib.resources.files("contribution_svc")
    .joinpath("policies/990200.yaml")
    .read_text("utf-8")
)
_CLOSED = re.compile(r"effective_to: '2024-06-30'")
_OPENED = re.compile(r"^ *- \{effective_from: '2024-07-01'.*\n", re.MULTILINE)
BEFORE = _CLOSED.sub("effective_to: null", _OPENED.sub("", AFTER))
"""As it stood until the notice of 20 June 2024."""
assert "25500" not in BEFORE
