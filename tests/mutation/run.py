"""Mutation testing of the calculation: small faults are put into it one by one, and the unit tests
have to notice each.

`.venv/bin/python tests/mutation/run.py` makes an environment of its own under var/mutation, copies
what is mutated and its tests there, and prints the mutants that survived; docs/mutation.md explains
them. It takes half an hour on two free cores; a name after the command
(`"contribution_svc.domain.rounding*"`) tries those mutants alone.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOME = ROOT / "var" / "mutation"
LOCKS = (ROOT / "requirements.lock", Path(__file__).with_name("requirements.lock"))
MUTATED = {
    "contribution-svc": ("rounding", "base", "lines", "calculation", "simulation"),
    "payroll-svc": ("income_tax",),
}
TESTS = {
    "contribution_svc": ("rounding", "base", "lines", "line_checks", "calculation"),
    "payroll_svc": ("income_tax",),
}
SETTINGS = """
[mutmut]
source_paths = src
only_mutate =
{mutated}
[tool:pytest]
addopts = --import-mode=importlib -p no:cacheprovider
asyncio_mode = auto
"""
# Half of the examples of a normal run, the same each time: a mutant's end must not be chance.
CONFTEST = """
from hypothesis import settings

settings.register_profile("mutation", max_examples=50, derandomize=True, deadline=None)
settings.load_profile("mutation")
"""


def main() -> None:
    """Ends with mutmut's own list of what survived."""
    python, work = _environment(), _work_folder()
    command = [str(python.with_name("mutmut")), "run", *sys.argv[1:]]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    subprocess.run(command, cwd=work, env=environment, check=True)  # noqa: S603
    subprocess.run([command[0], "results"], cwd=work, env=environment, check=True)  # noqa: S603


_INSTALL = ("pip", "install", "--quiet", "--python")
_OWN = ("--no-deps", "--no-index", "--no-build-isolation", "-e")


def _environment() -> Path:
    uv, python = Path(sys.executable).with_name("uv"), HOME / "venv" / "bin" / "python"
    locked = [word for lock in LOCKS for word in ("-r", str(lock))]
    for arguments in (
        ["venv", "--quiet", "--clear", "--python", sys.executable, str(HOME / "venv")],
        [*_INSTALL, str(python), "--require-hashes", *locked],
        [*_INSTALL, str(python), *_OWN, str(ROOT / "shared")],
    ):
        subprocess.run([uv, *arguments], check=True)  # noqa: S603
    return python


def _work_folder() -> Path:
    """The packages as they are, their tests, and mutmut's settings."""
    work = HOME / "work"
    shutil.rmtree(work, ignore_errors=True)
    mutated = []
    for service, modules in MUTATED.items():
        package = service.replace("-", "_")
        shutil.copytree(ROOT / "services" / service / "src" / package, work / "src" / package)
        mutated += [f"    src/{package}/domain/{module}.py" for module in modules]
    for package, names in TESTS.items():
        (work / "tests" / package).mkdir(parents=True)
        for name in names:
            test = Path("tests") / "unit" / package / f"test_{name}.py"
            shutil.copy(ROOT / test, work / "tests" / package)
    (work / "setup.cfg").write_text(SETTINGS.format(mutated="\n".join(mutated)))
    (work / "tests" / "conftest.py").write_text(CONFTEST)
    return work


if __name__ == "__main__":
    main()
