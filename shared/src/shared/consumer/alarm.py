"""Telling a bad release, which must stop, from poison, which is parked by its key (R17)."""

import time
from collections import deque
from collections.abc import Callable

MOST_KEYS = 20
"""More keys than this parked within five minutes are a bad release."""

_WINDOW_SECONDS = 300.0
_MOST_IN_A_HUNDRED = 1
_FEW_RECORDS = 500
"""One in a hundred of fewer records says nothing: a stranger among sixty people is no release."""


class Alarm:
    """What one process has seen and parked within five minutes. A restart begins anew, so that a
    repaired release is not stopped by what the broken one parked.

    A key counts once, however often; what was parked without holding its key back counts each time.
    """

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._seen: deque[tuple[float, int]] = deque()
        self._parked: deque[tuple[float, str]] = deque()

    def saw(self, records: int) -> None:
        self._seen.append((self._seconds(), records))

    def parked(self, name: str) -> None:
        """`name` tells apart what counts: a topic and key, or one record's place."""
        self._parked.append((self._seconds(), name))

    def reason(self) -> str:
        """Why the consumer must stop, or nothing."""
        self._forget()
        keys = len({name for _, name in self._parked})
        seen = sum(records for _, records in self._seen)
        too_many = keys > MOST_KEYS
        if not too_many and (seen < _FEW_RECORDS or keys * 100 <= seen * _MOST_IN_A_HUNDRED):
            return ""
        return (
            f"{keys} keys of {seen} events were parked within five minutes: a bad release, not"
            " poison. Nothing is lost; correct it and start the service again, then replay them"
        )

    def _forget(self) -> None:
        since = self._seconds() - _WINDOW_SECONDS
        for entries in (self._seen, self._parked):
            while entries and entries[0][0] < since:
                entries.popleft()
