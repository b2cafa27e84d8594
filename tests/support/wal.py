"""PostgreSQL's write-ahead log as one stream of records, each with the database that it is of.

The layout is that of src/include/access/xlog_internal.h and xlogrecord.h (PostgreSQL 15 to 18).
"""

import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import groupby

_PAGE = 8192
_SHORT_HEADER, _LONG_HEADER, _RECORD_HEADER = 24, 40, 24
_LONG, _HAS_IMAGE, _SAME_RELATION = 0x0002, 0x10, 0x80
_HAS_HOLE, _COMPRESSED = 0x01, 0x1C
_MOST_BLOCKS = 32
_SEGMENT_NAME_CHARS = 24


def runs(names: Sequence[str]) -> Iterator[list[str]]:
    """Names of segments that follow each other without a gap."""
    whole = sorted(name for name in names if len(name) == _SEGMENT_NAME_CHARS)
    numbers = {name: int(name[8:16], 16) * 256 + int(name[16:], 16) for name in whole}
    for _, run in groupby(enumerate(whole), lambda pair: numbers[pair[1]] - pair[0]):
        yield [name for _, name in run]


class Log:
    """`stream` is the segments' content without page headers, up to where it ends."""

    def __init__(self, segments: Sequence[bytes]) -> None:
        self.stream, first = _content(segments)
        self._starts: list[int] = []
        self._databases: list[int] = []
        at = first
        while at + _RECORD_HEADER <= len(self.stream):
            (length,) = struct.unpack_from("<I", self.stream, at)
            if length < _RECORD_HEADER or at + length > len(self.stream):
                break
            self._starts.append(at)
            self._databases.append(_database(self.stream, at, at + length))
            at += (length + 7) & ~7

    def __len__(self) -> int:
        return len(self._starts)

    def database_at(self, offset: int) -> int:
        """The oid of the database that the record at the offset is of; 0 if it names none."""
        number = bisect_right(self._starts, offset) - 1
        return self._databases[number] if number >= 0 else 0


def _content(segments: Sequence[bytes]) -> tuple[bytes, int]:
    """The pages' content, and where in it the first record begins.

    A page whose address is not the one after its predecessor's is left from an earlier use of the
    file: there the log ends.
    """
    pages: list[bytes] = []
    first, expected = 0, -1
    for data in segments:
        for at in range(0, len(data), _PAGE):
            magic, info, _, address, remaining = struct.unpack_from("<HHIQI", data, at)
            if magic == 0 or expected not in (-1, address):
                return b"".join(pages), first
            if expected == -1:
                first = (remaining + 7) & ~7
            expected = address + _PAGE
            header = _LONG_HEADER if info & _LONG else _SHORT_HEADER
            pages.append(data[at + header : at + _PAGE])
    return b"".join(pages), first


def _database(stream: bytes, at: int, end: int) -> int:
    """The database of the record's first block reference."""
    at += _RECORD_HEADER
    while at + 4 <= end and stream[at] <= _MOST_BLOCKS:
        flags = stream[at + 1]
        at += 4
        if flags & _HAS_IMAGE:
            image = stream[at + 4]
            at += 5 + (2 if image & _HAS_HOLE and image & _COMPRESSED else 0)
        if not flags & _SAME_RELATION:
            return int(struct.unpack_from("<I", stream, at + 4)[0])
        at += 4
    return 0
