from datetime import UTC, datetime, timedelta

import pytest

from sandbox import signing
from sandbox.signing import SignatureRefused

AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
SECRETS = {"key-1": b"secret"}
TARGET = "/medical-990100/records?AAB001=A-1&AAE003=202410"


def sent(**changes: str) -> dict[str, str]:
    headers = signing.headers("key-1", b"secret", AT, "GET", TARGET, b"")
    return {**{name.lower(): text for name, text in headers.items()}, **changes}


def check(headers: dict[str, str], *, at: datetime = AT, method: str = "GET") -> str:
    return signing.check(SECRETS, headers, at, method, TARGET, b"")


def test_the_signature_is_the_hmac_of_what_the_contract_lists() -> None:
    """Computed apart from the code: `printf … | openssl dgst -sha256 -hmac secret`."""
    given = signing.signature(b"secret", "1700000000", "post", "/p/details?a=1", b"{}")
    assert given == "133d554381286ea8e0a632240b1e4a2f95977139d9a77efd84c18d2bb0dff7a5"


def test_what_was_signed_is_taken_within_the_replay_window() -> None:
    assert check(sent()) == "key-1"
    assert check(sent(), at=AT + timedelta(seconds=300)) == "key-1"


@pytest.mark.parametrize("seconds", [-301, 301])
def test_an_older_or_later_request_may_be_a_copy(seconds: int) -> None:
    with pytest.raises(SignatureRefused, match="300 s off"):
        check(sent(), at=AT + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        sent(**{"x-key-id": "key-2"}),
        sent(**{"x-signature": "0" * 64}),
        sent(**{"x-signature": "\udcff"}),
        sent(**{"x-timestamp": ""}),
        sent(**{"x-timestamp": "１７００００００００"}),
        sent(**{"x-timestamp": "1" * 40}),
    ],
)
def test_what_is_not_signed_by_a_known_key_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(SignatureRefused):
        check(headers)


def test_another_method_target_or_body_is_another_request() -> None:
    with pytest.raises(SignatureRefused):
        check(sent(), method="POST")
    with pytest.raises(SignatureRefused):
        signing.check(SECRETS, sent(), AT, "GET", TARGET + "1", b"")
    with pytest.raises(SignatureRefused):
        signing.check(SECRETS, sent(), AT, "GET", TARGET, b"{}")
