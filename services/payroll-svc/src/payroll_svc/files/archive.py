"""The zip around a workbook, checked and rewritten before any reader opens it.

Readers of archives disagree on which of two equal names wins and trust declared sizes. So the
directory is judged first, each needed part is unpacked under a bound, and the workbook's reader
only ever sees an archive that we wrote.
"""

import io
import re
import zipfile
import zlib

from payroll_svc.errors import FileUnreadable
from payroll_svc.files.grid import unreadable

_MOST_PARTS = 500
_MOST_UNPACKED_BYTES = 64 * 1024 * 1024
"""The XML of MOST_ROWS rows of twenty columns fits; the service's memory is bounded by it."""

_HIGHEST_RATIO = 200
"""Spreadsheet XML packs 5 to 30 times; a bomb a thousand times."""

_RATIO_FLOOR_BYTES = 1024 * 1024
_ENCRYPTED_FLAG = 0x1
_NEEDED = re.compile(
    r"^(\[Content_Types\]\.xml|_rels/\.rels|xl/workbook\.xml|xl/_rels/workbook\.xml\.rels"
    r"|xl/styles\.xml|xl/sharedStrings\.xml|xl/worksheets/[^/]+\.xml)$"
)
_FOREIGN = (
    ("vbaproject", "含有宏"),
    ("/macrosheets/", "含有宏表"),
    ("/externallinks/", "含有指向其他文件的外部链接"),
    ("/embeddings/", "含有嵌入对象"),
    ("/activex/", "含有控件"),
)


def vetted_parts(file: str, data: bytes) -> dict[str, bytes]:
    """The parts of a workbook that a reader needs, by name; FileUnreadable for anything that is not
    a plain .xlsx.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            needed = _vetted_directory(file, archive.infolist())
            return {part.filename: _unpacked(file, archive, part) for part in needed}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise _truncated(file) from error


def rewritten(parts: dict[str, bytes]) -> io.BytesIO:
    """A new archive of exactly these parts, stored without packing."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    written.seek(0)
    return written


def _truncated(file: str) -> FileUnreadable:
    return unreadable(file, "文件不完整或已损坏", "用表格软件打开并另存为 .xlsx，再上传")


def _vetted_directory(file: str, parts: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    names = [part.filename for part in parts]
    if len(parts) > _MOST_PARTS:
        raise unreadable(file, f"压缩包内有 {len(parts)} 个部件，过多", "另存为普通 .xlsx 再上传")
    if len({name.lower() for name in names}) < len(names):
        raise unreadable(file, "压缩包内有重名部件", "用表格软件打开并另存为 .xlsx")
    if any(_escapes(name) for name in names):
        raise unreadable(file, "压缩包内有指向外部路径的部件", "用表格软件打开并另存为 .xlsx")
    if any(part.flag_bits & _ENCRYPTED_FLAG for part in parts):
        raise unreadable(file, "文件已加密", "去掉打开密码后再上传")
    if "xl/workbook.xml" not in names or "[Content_Types].xml" not in names:
        raise unreadable(file, "不是 .xlsx 工作簿", "用表格软件打开并另存为 .xlsx")
    _refuse_foreign(file, names)
    _refuse_bombs(file, parts)
    return [part for part in parts if _NEEDED.match(part.filename)]


def _escapes(name: str) -> bool:
    return name.startswith(("/", "\\")) or ":" in name or ".." in re.split(r"[/\\]", name)


def _refuse_foreign(file: str, names: list[str]) -> None:
    for mark, reason in _FOREIGN:
        if any(mark in f"/{name.lower()}" for name in names):
            raise unreadable(file, reason, "只保留数据，另存为不含这些内容的 .xlsx")


def _refuse_bombs(file: str, parts: list[zipfile.ZipInfo]) -> None:
    unpacked = sum(part.file_size for part in parts)
    if unpacked > _MOST_UNPACKED_BYTES:
        raise unreadable(file, "解压后过大", "删去空白行列和多余的工作表，或分成几个文件")
    for part in parts:
        grows = part.file_size > _HIGHEST_RATIO * max(part.compress_size, 1)
        if part.file_size > _RATIO_FLOOR_BYTES and grows:
            raise unreadable(file, "压缩比异常", "用表格软件打开并另存为 .xlsx")


def _unpacked(file: str, archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> bytes:
    """At most the declared size: a part that holds more than its directory says fails its checksum
    here.
    """
    with archive.open(part) as stream:
        content = stream.read(part.file_size + 1)
    if len(content) != part.file_size:
        raise _truncated(file)
    return content
