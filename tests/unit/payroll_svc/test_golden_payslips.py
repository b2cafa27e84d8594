"""Whole payslips of five cities stay as they were committed, to the fen and to the word."""

import json

import pytest

from payroll_svc.domain.explanations import explained, figures_of
from tests.support.payslips import FOLDER, GOLDEN, text_of


@pytest.mark.parametrize("name", GOLDEN)
def test_a_payslip_is_the_committed_one(name: str) -> None:
    """If it should differ: `python -m tests.support.payslips`, and read what changed."""
    assert text_of(GOLDEN[name]()) == (FOLDER / f"{name}.json").read_text("utf-8")


def test_every_committed_payslip_is_made() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(GOLDEN)


@pytest.mark.parametrize("name", GOLDEN)
def test_every_figure_explains_itself_by_steps_that_lead_to_it(name: str) -> None:
    slip = GOLDEN[name]()
    for figure in figures_of(slip):
        found = explained(slip, figure)
        assert found is not None
        assert found.sentence.endswith("。")
        assert found.steps
    shown = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))["payslip"]
    items = sum(item["amount_fen"] for item in shown["items"])
    assert items - shown["contributions_fen"] - shown["tax_fen"] == shown["net_fen"]
