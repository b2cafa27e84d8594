"""Bank files that are hostile or broken, by the classes of reliability.md 4.3: what is done to a
whole statement of one entry of 3,458.00, and what its refusal says.
"""

from collections.abc import Callable

Change = Callable[[bytes], bytes]


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def with_(old: str, new: str) -> Callable[[bytes], bytes]:
    def change(content: bytes) -> bytes:
        assert old.encode() in content, old
        return content.replace(old.encode(), new.encode(), 1)

    return change


DOCTYPE = '<!DOCTYPE Document [<!ENTITY x "5">]>\n<Document'
EXTERNAL = '<!DOCTYPE Document SYSTEM "file:///etc/passwd">\n<Document'
PARAMETER = '<!DOCTYPE Document [<!ENTITY % p SYSTEM "http://127.0.0.1/x"> %p;]>\n<Document'

BROKEN_STATEMENTS: dict[str, tuple[Change, str]] = {
    "an entity": (with_("<Document", DOCTYPE), "DOCTYPE"),
    "an external DTD": (with_("<Document", EXTERNAL), "DOCTYPE"),
    "a parameter entity": (with_("<Document", PARAMETER), "DOCTYPE"),
    "an entity in UTF-16": (
        lambda c: (
            with_("<Document", DOCTYPE)(c).decode().replace("UTF-8", "UTF-16").encode("utf-16")
        ),
        "DOCTYPE",
    ),
    "elements without end": (with_("<Stmt>", "<Stmt>" + "<x>" * 300), "well-formed"),
    "truncated": (cut, "well-formed"),
    "empty": (lambda _: b"", "well-formed"),
    "a web page": (lambda _: b"<html/>", "camt.053"),
    "GB18030 that says UTF-8": (lambda c: c.decode().encode("gb18030"), "well-formed"),
    "a comment in a value": (with_("3458.00", "<!-- x -->3458.00"), "plain text"),
    "CDATA in a value": (with_("3458.00", "<![CDATA[3458.00]]>"), "plain text"),
    "an instruction in a value": (with_("3458.00", "<?x y?>3458.00"), "plain text"),
    "an element in a value": (with_("3458.00", "<b>3458.00</b>"), "plain text"),
    "a negative amount": (with_("3458.00", "-3458.00"), "an amount"),
    "three decimals": (with_("3458.00", "3458.001"), "an amount"),
    "an exponent": (with_("3458.00", "3.458E3"), "an amount"),
    "a thousands separator": (with_("3458.00", "3,458.00"), "an amount"),
    "full-width digits": (with_("3458.00", "３４５８.００"), "an amount"),
    "no currency": (with_(' Ccy="CNY">3458', ">3458"), "currency"),
    "no such direction": (with_("DBIT", "DEBIT"), "CRDT or DBIT"),
    "no such status": (with_("BOOK", "DONE"), "one of BOOK"),
    "day 32": (with_("2024-10-10</Dt></BookgDt>", "2024-10-32</Dt></BookgDt>"), "a day"),
    "year 24": (with_("2024-10-10</Dt></BookgDt>", "0024-10-10</Dt></BookgDt>"), "a day"),
    "no opening balance": (with_("<Cd>OPBD</Cd>", "<Cd>XXXX</Cd>"), "OPBD"),
    "no closing balance": (with_("<Cd>CLBD</Cd>", "<Cd>XXXX</Cd>"), "CLBD"),
    "a direction override": (with_("社保费", "社保\u202e费"), "control"),
    "no statement id": (with_("<Id>S1</Id>", "<Id></Id>"), "expected Id"),
}
"""What cannot be read by the grammar."""


def with_entry_again(content: bytes) -> bytes:
    """The same movement told twice, the balance following it."""
    start, entry = content.split(b"<Ntry>")
    entry, end = entry.split(b"</Ntry>")
    twice = start + b"<Ntry>" + entry + b"</Ntry><Ntry>" + entry + b"</Ntry>" + end
    return twice.replace(b"996542.00", b"993084.00")


NOT_WHOLE_STATEMENTS: dict[str, tuple[Change, str]] = {
    "balances that disagree": (with_("996542.00", "996542.01"), "closing balance"),
    "another currency": (with_('Ccy="CNY">3458', 'Ccy="USD">3458'), "CNY"),
    "a later page": (
        with_("<Acct>", "<StmtPgntn><PgNb>2</PgNb><LastPgInd>true</LastPgInd></StmtPgntn><Acct>"),
        "one page",
    ),
    "pages to come": (
        with_("<Acct>", "<StmtPgntn><PgNb>1</PgNb><LastPgInd>false</LastPgInd></StmtPgntn><Acct>"),
        "one page",
    ),
    "the same serial twice": (with_entry_again, "stands in line"),
    "another's bank account": (with_("BANK-1", "BANK-9"), "bank account of this employer"),
    "no statement": (
        lambda c: c[: c.index(b"<Stmt>")] + c[c.index(b"</Stmt>") + len(b"</Stmt>") :],
        "statement",
    ),
}
"""What can be read and is not to be believed."""
