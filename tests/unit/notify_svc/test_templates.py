"""Every template can be filled with what the service fills it with, and broken ones are named."""

import string

import pytest

from notify_svc.errors import TemplateBroken
from notify_svc.files import Templates, variants_of

FIELDS = {
    "records_arrived": {"number", "sentences"},
    "ticket_replied": {"number"},
    "ticket_resolved": {"number"},
    "payslip_issued": {"month"},
    "payslip_corrected": {"month", "changes"},
    "hr_anomalies": {"count", "months", "insurances", "outcome"},
    "hr_ticket_assigned": {"count", "numbers", "due"},
    "hr_ticket_escalated": {"count", "numbers", "due"},
    "hr_deadline_at_risk": {"version", "month", "file_by", "approved", "incomplete"},
    "hr_policy_changed": {"version", "city", "known_since"},
    "hr_policy_release": {"version", "city", "stage", "effect"},
    "hr_wage_data_due": {"month", "sentences"},
}


def test_every_template_asks_only_for_what_it_is_given() -> None:
    templates = Templates.load()
    assert set(templates.variants) == set(FIELDS)
    for name, variants in templates.variants.items():
        for variant in variants.values():
            for text in (variant.text, variant.subject):
                asked = {field for _, field, _, _ in string.Formatter().parse(text) if field}
                assert asked <= FIELDS[name], name


@pytest.mark.parametrize(
    "content",
    ["not toml", "[email]\ntext = 'x'", "[inbox]\nsubject = 'x'", "[inbox]\ntext='x'\nto='y'"],
)
def test_a_broken_template_is_named(content: str) -> None:
    with pytest.raises(TemplateBroken, match=r"broken\.toml"):
        variants_of("broken.toml", content)
