"""The signature on requests to the bank, the collectors and the authorities, computed and checked.

X-Signature is the hex HMAC-SHA256, under the secret of X-Key-Id, of
"{X-Timestamp}\\n{METHOD}\\n{path with query}\\n{sha256 hex of the body}".
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

REPLAY_WINDOW_SECONDS = 300
"""How far a caller's clock may be off; an older request may be a copy of one that was overheard."""


class SignatureRefused(Exception):
    """Why a request is not taken for its sender's; the text may be shown, it holds no secret."""


def signature(secret: bytes, timestamp: str, method: str, target: str, body: bytes) -> str:
    """Hex HMAC over what must not change on the way; `target` is the path with its query as
    sent.
    """
    digest = hashlib.sha256(body).hexdigest()
    signed = f"{timestamp}\n{method.upper()}\n{target}\n{digest}"
    return hmac.new(secret, signed.encode(), hashlib.sha256).hexdigest()


def headers(
    key_id: str, secret: bytes, at: datetime, method: str, target: str, body: bytes
) -> dict[str, str]:
    """The three headers of a signed request; `at` is system time."""
    timestamp = str(int(at.timestamp()))
    return {
        "X-Key-Id": key_id,
        "X-Timestamp": timestamp,
        "X-Signature": signature(secret, timestamp, method, target, body),
    }


def check(
    secrets: Mapping[str, bytes],
    sent: Mapping[str, str],
    at: datetime,
    method: str,
    target: str,
    body: bytes,
) -> str:
    """The key id whose secret signed this request; SignatureRefused otherwise.

    `sent` holds the headers in lower case, `at` is system time. An unknown key costs as much time
    as a wrong signature, so that key ids cannot be tried out.
    """
    key_id = sent.get("x-key-id", "")
    timestamp = sent.get("x-timestamp", "")
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):
        raise SignatureRefused("X-Timestamp is the system time in unix seconds")
    if abs(int(timestamp) - int(at.timestamp())) > REPLAY_WINDOW_SECONDS:
        raise SignatureRefused(f"X-Timestamp is more than {REPLAY_WINDOW_SECONDS} s off")
    expected = signature(secrets.get(key_id, b"unknown key"), timestamp, method, target, body)
    given = sent.get("x-signature", "")
    equal = hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogateescape"))
    if not (equal and key_id in secrets):
        raise SignatureRefused("X-Key-Id and X-Signature do not belong to this request")
    return key_id
