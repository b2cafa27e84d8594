"""Any uploaded file to a grid: told by its first bytes, not by its name."""

from payroll_svc.errors import FileUnreadable
from payroll_svc.files.delimited import delimited_grid
from payroll_svc.files.grid import Grid, unreadable
from payroll_svc.files.workbook import workbook_grid

MOST_BYTES = 16 * 1024 * 1024
"""One upload: MOST_ROWS rows of text with room to spare."""

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_PAGE = (b"<!doctype", b"<html", b"<table", b"<?xml")
_PDF = b"%PDF"
_HEAD_BYTES = 512


def read_grid(file: str, data: bytes) -> Grid:
    """The file's table; FileUnreadable names what the file really is when we do not read it."""
    if data.startswith(_ZIP):
        return workbook_grid(file, data)
    head = data[:_HEAD_BYTES].lstrip().lower()
    if data.startswith(_OLE):
        raise _old_or_encrypted(file, data)
    if head.startswith(_PAGE):
        raise unreadable(file, "扩展名像表格，内容却是网页", "用表格软件打开并另存为 .xlsx")
    if head.startswith(_PDF.lower()):
        raise unreadable(file, "是 PDF，不是表格", "导出为 .xlsx 或 CSV")
    return delimited_grid(file, data)


def _old_or_encrypted(file: str, data: bytes) -> FileUnreadable:
    if _ENCRYPTED in data:
        return unreadable(file, "文件已加密", "去掉打开密码后再上传")
    return unreadable(file, "是旧版 .xls 文件", "用表格软件打开并另存为 .xlsx")
