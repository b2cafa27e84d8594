"""Months and insurances in words, and the sentence that the employee reads."""

import pytest

from notify_svc.domain.words import insurances_text, months_text, release_text, sentences_text
from notify_svc.files import Templates

SENTENCE = Templates.load().channels("records_arrived")["inbox"].sentence


def test_one_month_reads_exactly_like_this() -> None:
    cells = [("2024-10", "maternity"), ("2024-10", "medical")]
    assert sentences_text(cells, SENTENCE) == "10月医疗险、生育险记录已补录，可正常查询"


def test_a_range_reads_exactly_like_this() -> None:
    cells = [(f"2024-{month}", "medical") for month in (12, 10, 11)]
    assert sentences_text(cells, SENTENCE) == "10-12月医疗险记录已补录，可正常查询"


def test_months_with_different_insurances_are_sentences_of_their_own() -> None:
    cells = [
        ("2024-10", "medical"),
        ("2024-10", "maternity"),
        ("2024-11", "medical"),
        ("2024-12", "medical"),
    ]
    assert sentences_text(cells, SENTENCE) == (
        "10月医疗险、生育险记录已补录，可正常查询；11-12月医疗险记录已补录，可正常查询"
    )


@pytest.mark.parametrize(
    ("periods", "text"),
    [
        (["2024-10"], "10月"),
        (["2024-01", "2024-02"], "1-2月"),
        (["2024-10", "2024-12"], "10月、12月"),
        (["2024-09", "2024-11", "2024-12"], "9月、11-12月"),
        (["2024-11", "2024-12", "2025-01"], "2024年11-12月、2025年1月"),
        (["2024-10", "2024-10"], "10月"),
    ],
)
def test_months_in_runs(periods: list[str], text: str) -> None:
    assert months_text(periods) == text


def test_insurances_in_the_order_of_the_scheme() -> None:
    names = ["maternity", "work_injury", "unemployment", "medical", "pension"]
    assert insurances_text(names) == "养老险、医疗险、失业险、工伤险、生育险"


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        (
            (1_203, 3_220_681, 1_610_341, "2025-07"),
            "涉及 1,203 人，自2025年7月起单位每月增加 32,206.81 元，个人每月增加 16,103.41 元",
        ),
        ((1, -100, 0, "2025-01"), "涉及 1 人，自2025年1月起单位每月减少 1.00 元，个人每月不变"),
        ((0, 0, 0, ""), "不影响本单位的缴费金额"),
    ],
)
def test_a_release_is_told_with_its_numbers(numbers: tuple[int, int, int, str], text: str) -> None:
    assert release_text(*numbers) == text
