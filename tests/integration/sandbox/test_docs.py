"""docs/sandbox.md is played as it stands: a line that is refused is a line that misleads."""

import json
import re
from pathlib import Path

from tests.support.parties import Sandbox

PAGE = (Path(__file__).parents[3] / "docs" / "sandbox.md").read_text()
POSTS = re.findall(r"^json \$C(/[a-z]+) -d '(.*?)'$", PAGE, re.MULTILINE | re.DOTALL)


async def test_every_order_on_the_page_is_taken(sandbox: Sandbox) -> None:
    answers = {
        (path, body): (await sandbox.control.post(path, json=json.loads(body))).status_code
        for path, body in POSTS
    }
    assert len(answers) > 15
    assert {key for key, status in answers.items() if status not in (200, 201)} == set()
