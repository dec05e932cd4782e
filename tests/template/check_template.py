"""Checks template.yaml, and proves that the check can fail.

Run it from the repository's root (any Python from 3.10, no AWS account, no network once pip is done):

    python3 -m venv target/template-check && target/template-check/bin/pip install -q -r tests/template/requirements.txt && target/template-check/bin/python tests/template/check_template.py

A clean lint of a SAM file says little: most faults hide in what it expands to. So there are four parts:
  1. `sam validate --lint` on the file as it is
  2. cfn-lint on the CloudFormation document it expands to
  3. promises.py: what the deployed stack must and must not be, asserted on the expanded document
  4. faults.py: one deliberate fault at a time, each of which has to be caught by the promise or the linter it names

The last line is `N passed, N failed`; the exit code is 0 only if nothing failed.
"""

import copy
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

# The check leaves nothing behind in a clone.
sys.dont_write_bytecode = True

from cloudformation import Deployed, expand, lint, read
from faults import FAULTS, LINTER
from promises import PROMISES

TEMPLATE = Path(__file__).parents[2] / "template.yaml"


def main():
    source = read(TEMPLATE)
    report = Report()

    report.section("the file")
    report.record("sam validate --lint", sam_validate())

    report.section("the expanded document")
    try:
        expanded = expand(source)
        report.record("cfn-lint", lint(expanded))
        deployed = Deployed(expanded)
    except Exception as crash:
        report.record("it expands, and deploys with these parameters", [repr(crash)])
        return report.close()

    report.section("promises")
    for promise in PROMISES:
        report.record(promise.__name__, broken(promise, deployed))

    report.section("faults that have to be caught")
    used = set()
    with ProcessPoolExecutor() as workers:
        for fault, complaints in zip(FAULTS, workers.map(missed_by_number, range(len(FAULTS))), strict=True):
            used.add(fault.caught_by)
            report.record(f"{fault.name} -> {fault.caught_by}", complaints)

    report.section("the check itself")
    idle = {promise.__name__ for promise in PROMISES} - used
    report.record("every promise has a fault that it catches", [f"never seen to fail: {name}" for name in sorted(idle)])

    return report.close()


def sam_validate():
    """Complaints of the SAM CLI about the file as it is."""
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [Path(sys.executable).with_name("sam"), "validate", "--lint", "--template", TEMPLATE],
            env={
                **os.environ,
                "AWS_DEFAULT_REGION": "eu-central-1",
                "AWS_EC2_METADATA_DISABLED": "true",
                "SAM_CLI_TELEMETRY": "0",
                "__SAM_CLI_APP_DIR": home,
            },
            capture_output=True,
            text=True,
            timeout=120,
        )
    return [] if done.returncode == 0 else (done.stdout + done.stderr).strip().splitlines()


def broken(promise, deployed):
    """Why the promise is not kept."""
    try:
        promise(deployed)
    except AssertionError as why:
        return [str(why)]
    except Exception as crash:
        return [f"the check crashed: {crash!r}"]
    return []


def missed_by_number(number):
    """What a worker is asked for: a fault itself does not travel to it."""
    return missed(FAULTS[number], read(TEMPLATE))


def missed(fault, source):
    """Why the fault went unnoticed, if it did. Only an assertion catches: a promise that crashes has seen nothing."""
    document = copy.deepcopy(source)
    try:
        fault.apply(document)
        expanded = expand(document)
    except Exception as crash:
        return [f"it can't be put in: {crash!r}"]
    if document == source:
        return ["it changes nothing"]
    if fault.caught_by == LINTER:
        return [] if lint(expanded) else ["the linter is content"]
    promise = next(promise for promise in PROMISES if promise.__name__ == fault.caught_by)
    try:
        deployed = Deployed(expanded)
    except Exception as crash:
        return [f"it does not even deploy in this check: {crash!r}"]
    try:
        promise(deployed)
    except AssertionError:
        return []
    except Exception as crash:
        return [f"the check crashed instead of catching it: {crash!r}"]
    return ["the promise still holds"]


class Report:
    """Prints as it goes, and counts."""

    def __init__(self):
        self.passed = self.failed = 0

    def section(self, title):
        print(f"\n{title}")

    def record(self, name, complaints):
        if complaints:
            self.failed += 1
            print(f"  FAILED  {name}")
            for complaint in complaints:
                print(f"          {complaint}")
        else:
            self.passed += 1
            print(f"  passed  {name}")

    def close(self):
        print(f"\n{self.passed} passed, {self.failed} failed")
        return 1 if self.failed else 0


if __name__ == "__main__":
    sys.exit(main())
