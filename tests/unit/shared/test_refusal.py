"""What may be shown of a value that was refused."""

from hypothesis import given
from hypothesis import strategies as st

from shared.refusal import FieldFault, Malformed, masked

identity_numbers = st.from_regex(r"[0-9]{17}[0-9X]", fullmatch=True)


@given(identity_numbers, st.integers(-3, 40))
def test_an_identity_number_is_never_shown_whole(number: str, keep: int) -> None:
    shown = masked(number, keep)
    assert number not in shown
    assert sum(char != "*" for char in shown) <= len(number) // 2


@given(st.text(st.characters(exclude_characters="*"), min_size=9), st.integers(-3, 60))
def test_at_least_half_of_a_long_value_is_hidden(value: str, keep: int) -> None:
    head, _, tail = masked(value, keep).rpartition("*" * 6)
    assert value.startswith(head)
    assert value.endswith(tail)
    assert len(head) + len(tail) <= len(value) // 2


@given(st.text(max_size=8))
def test_a_short_code_stays_readable(value: str) -> None:
    assert masked(value) == value


def test_a_number_is_masked_like_text() -> None:
    assert masked(110101199001011234) == "11******34"


def test_a_refusal_says_its_detail_and_keeps_its_faults() -> None:
    fault = FieldFault("body/levy_period", "2024-13", "a levy period is written YYYY-MM")
    refusal = Malformed("One field is not as documented.", (fault,))
    assert str(refusal) == "One field is not as documented."
    assert (refusal.status, refusal.code, refusal.faults) == (422, "malformed", (fault,))
