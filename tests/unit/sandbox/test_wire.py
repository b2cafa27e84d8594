import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sandbox.wire import INSURANCE_CODES, Declaration, DueLine, yuan_text
from shared.values import parse_fen
from tests.support.parties import declaration, line


@given(st.integers(min_value=-(10**14), max_value=10**14))
def test_yuan_text_is_read_back_to_the_same_fen(fen: int) -> None:
    assert parse_fen(yuan_text(fen)) == fen


def test_a_line_is_read_and_written_in_the_bureaus_codes() -> None:
    read = DueLine.model_validate(line())
    assert (read.base_fen, read.employer_fen, read.insurance) == (950_000, 76_000, "medical")
    assert read.model_dump(by_alias=True) == line()


def test_every_social_insurance_has_a_code_of_its_own() -> None:
    assert len(set(INSURANCE_CODES.values())) == len(INSURANCE_CODES) == 5


@pytest.mark.parametrize(
    "wrong",
    [
        {"AAE180": 9500.0},
        {"AAE180": "9,500.00"},
        {"AAE180": "-1.00"},
        {"AAE020": "1e3"},
        {"AAE020": "760.001"},
        {"AAE140": "390"},
        {"AAE003": "202413"},
        {"AAC002": "11010119900307003X'--"},
        {"AAC003": ""},
        {"AAC003": "小\x00王"},
        {"AAA115": "1"},
    ],
)
def test_what_is_not_in_the_codes_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DueLine.model_validate({**line(), **wrong})


@pytest.mark.parametrize("serial", ["", "x" * 36, "a/b", "流水", "-1", "a b"])
def test_a_serial_fits_the_end_to_end_id_of_the_debit(serial: str) -> None:
    with pytest.raises(ValidationError):
        Declaration.model_validate(declaration(serial))


def test_a_declaration_without_lines_says_nothing() -> None:
    with pytest.raises(ValidationError):
        Declaration.model_validate({**declaration("S-1"), "lines": []})


def test_the_content_hash_ignores_spelling_and_nothing_else() -> None:
    sent = Declaration.model_validate(declaration("S-1"))
    again = Declaration.model_validate({**declaration("S-1"), "unknown": 1})
    other = Declaration.model_validate(declaration("S-1", line(AAE180="9500.01")))
    assert sent.content_hash() == again.content_hash() != other.content_hash()
