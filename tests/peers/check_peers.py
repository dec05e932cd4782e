"""Runs every check against software nobody here wrote, one after the other. See `run`, which prepares all that this needs."""

import signal
import sys

# The checks leave nothing behind in a clone.
sys.dont_write_bytecode = True

# ruff: noqa: E402
import check_aws_cli
import check_bybit_clients
import check_cargo_lambda
import check_moto_rotation
import check_okx_clients
import check_okx_signatures
import check_operations
import check_rules
import check_shown_commands
import servers
from report import Report, reason

SUITES = {
    "bybit": check_bybit_clients,
    "okx": check_okx_clients,
    "okx_signatures": check_okx_signatures,
    "rules": check_rules,
    "moto": check_moto_rotation,
    "aws_cli": check_aws_cli,
    "shown_commands": check_shown_commands,
    "cargo_lambda": check_cargo_lambda,
    "operations": check_operations,
}


def main(chosen):
    unknown = [name for name in chosen if name not in SUITES]
    if unknown:
        print(f"no such check: {' '.join(unknown)}; there are {' '.join(SUITES)}", file=sys.stderr)
        return 2
    # A polite order to end is an exception like any other: what runs beside the checks is ended on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    servers.build()
    report = Report()
    for name in chosen or SUITES:
        suite = SUITES[name]
        report.section(suite.__doc__.splitlines()[0])
        try:
            suite.run(report)
        except Exception as error:
            report.fail(f"{name}: what it needs can't be set up", reason(error))
    return report.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
