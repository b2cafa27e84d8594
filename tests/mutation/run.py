"""Mutation testing of the calculation: small faults are put into it one by one, and the unit tests
have to notice each.

`.venv/bin/python tests/mutation/run.py` makes an environment of its own under var/mutation, copies
each module's package there with the tests that hold the module, and prints the mutants that
survived; docs/mutation.md explains them. Names after the command (`base`, `reckoning`) try those
modules alone.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOME = ROOT / "var" / "mutation"
LOCKS = (ROOT / "requirements.lock", Path(__file__).with_name("requirements.lock"))
HELD_BY = {
    "contribution-svc": {
        "rounding": ("rounding",),
        "base": ("base", "wage_bases", "contribution_years", "batch"),
        "wage_basis": ("base", "wage_bases", "contribution_years"),
        "batch": ("batch", "simulation"),
        "employment": ("employment", "base"),
        "wages": ("explanation",),
        "lines": ("lines", "line_checks", "worked_examples"),
        "calculation": ("calculation", "simulation", "batch"),
        "simulation": ("simulation", "batch"),
        "figures": ("figures", "policy", "in_force", "difference"),
        "policy": ("pack", "policy", "in_force", "cities", "line_checks", "worked_examples"),
        "late_fee": ("late_fee", "not_filed"),
        "difference": ("difference",),
        "declaration": ("declaration",),
        "not_filed": ("not_filed", "late_fee"),
        "refund": ("refund",),
        "back_payment": ("back_payment",),
        "allocation": ("allocation", "not_filed"),
    },
    "payroll-svc": {
        "income_tax": ("income_tax", "switching", "worked_examples"),
        "pay_items": ("pay_items", "reckoning", "worked_examples"),
        "reckoning": ("reckoning", "worked_examples"),
        "differences": ("reckoning", "payroll_run"),
        "pay": ("pay", "reckoning", "payroll_run", "payslip", "worked_examples"),
        "payroll_run": ("payroll_run", "reckoning"),
        "payslip": ("payslip", "switching"),
        "deductions": ("deductions", "switching"),
    },
}
"""By service: the module of its domain, and the unit tests that a mutant of it has to get past."""

SETTINGS = """
[mutmut]
source_paths = src
only_mutate =
    src/{package}/domain/{module}.py
[tool:pytest]
addopts = --import-mode=importlib -p no:cacheprovider
asyncio_mode = auto
"""
# Half of the examples of a normal run, the same each time: a mutant's end must not be chance. The
# first failing example is enough, nobody reads it: none is made smaller.
CONFTEST = """
from hypothesis import Phase, settings

settings.register_profile(
    "mutation",
    max_examples=50,
    derandomize=True,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
)
settings.load_profile("mutation")
"""


def main() -> None:
    """Ends each module with mutmut's own list of what survived."""
    wanted = sys.argv[1:]
    python = _environment()
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    for service, modules in HELD_BY.items():
        for module, tests in modules.items():
            if wanted and module not in wanted:
                continue
            work = _work_folder(service, module, tests)
            for command in ("run", "results"):
                mutmut = [str(python.with_name("mutmut")), command]
                subprocess.run(mutmut, cwd=work, env=environment, check=True)  # noqa: S603


_INSTALL = ("pip", "install", "--quiet", "--python")
_OWN = ("--no-deps", "--no-index", "--no-build-isolation", "-e")


def _environment() -> Path:
    uv, python = Path(sys.executable).with_name("uv"), HOME / "venv" / "bin" / "python"
    if python.with_name("mutmut").exists():
        return python
    locked = [word for lock in LOCKS for word in ("-r", str(lock))]
    for arguments in (
        ["venv", "--quiet", "--clear", "--python", sys.executable, str(HOME / "venv")],
        [*_INSTALL, str(python), "--require-hashes", *locked],
        [*_INSTALL, str(python), *_OWN, str(ROOT / "shared")],
    ):
        subprocess.run([uv, *arguments], check=True)  # noqa: S603
    return python


def _work_folder(service: str, module: str, tests: tuple[str, ...]) -> Path:
    """The package as it is, the module's tests, and mutmut's settings."""
    work, package = HOME / module, service.replace("-", "_")
    wanted = {f"test_{name}.py" for name in tests}

    def left_out(_: str, names: list[str]) -> set[str]:
        return {name for name in names if name.startswith("test_") and name not in wanted}

    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(ROOT / "services" / service / "src" / package, work / "src" / package)
    shutil.copytree(ROOT / "tests" / "support", work / "tests" / "support")
    own = Path("tests", "unit", package)
    shutil.copytree(ROOT / own, work / own, ignore=left_out)
    (work / "setup.cfg").write_text(SETTINGS.format(package=package, module=module))
    (work / "tests" / "conftest.py").write_text(CONFTEST)
    return work


if __name__ == "__main__":
    main()
