"""Plants against I2: another figure in one store than the one that was told or computed."""

from tests.support.planting.plant import Plant, changed


def _more(column: str, path: str) -> str:
    """One more than the whole number at this path of a jsonb column."""
    number = f"to_jsonb(({column} #>> '{path}')::bigint + 1)"
    return f"{column} = jsonb_set({column}, '{path}', {number})"


_FIGURES = (
    ("an average wage is a fen more", "contribution_svc", "bases", _more("body", "{average_fen}")),
    ("a wage is a fen more than was told", "contribution_svc", "wages", "wage_fen = wage_fen + 1"),
    (
        "a line has another rate than was told",
        "contribution_svc",
        "assessments",
        _more("lines", "{0,employer_ppm}"),
    ),
    (
        "a late fee is a fen more in reconciliation-svc",
        "reconciliation_svc",
        "months",
        _more("posted", "{lines,pension,late_fee_fen}"),
    ),
    (
        "a payslip's tax, and its net, are other than its run computed",
        "payroll_svc",
        "payslips",
        "tax_fen = tax_fen + 1, net_fen = net_fen - 1",
    ),
    (
        "an item of a payslip is a fen more",
        "payroll_svc",
        "payslips",
        _more("items", "{0,amount_fen}"),
    ),
    ("the net wage in a notice is another", "notify_svc", "payslips", "net_fen = net_fen + 1"),
    ("portal-svc shows another gross", "portal_svc", "months", _more("payslip", "{gross_fen}")),
)
_WHERE = {
    "assessments": 'lines @> \'[{"state": "due"}]\'',
    "months": "posted_version > 0",
}
PLANTS = (
    *(
        Plant(words, "figure_differs", store, changed(table, change, _WHERE.get(table, "true")))
        for words, store, table, change in _FIGURES
    ),
    Plant(
        "a policy pack was edited after its approval",
        "pack_altered",
        "contribution_svc",
        changed("policy_packs", "content = content || '\\x20'::bytea"),
    ),
)
