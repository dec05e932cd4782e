"""Prints each check as it is done, and counts."""

import traceback
from pathlib import Path


class Report:
    def __init__(self):
        self.passed = self.failed = 0

    def section(self, title):
        print(f"\n{title}", flush=True)

    def check(self, name, check, *arguments):
        """Whether the check held. One that fails in any way has failed, and the next one is worth running all the same."""
        try:
            check(*arguments)
        except Exception as error:
            self.fail(name, reason(error))
            return False
        self.passed += 1
        print(f"  passed  {name}", flush=True)
        return True

    def fail(self, name, why):
        self.failed += 1
        print(f"  FAILED  {name}\n          {why}", flush=True)

    def close(self):
        print(f"\n{self.passed} passed, {self.failed} failed", flush=True)
        return 1 if self.failed else 0


def promise(check):
    """A check's name as a sentence."""
    return check.__name__.replace("_", " ")


def reason(error):
    """What failed, and at which line of the check. The text of an error that is none of ours may quote a credential: only its kind
    and the line that raised it are shown."""
    frames = traceback.extract_tb(error.__traceback__)
    # The first frame is whoever ran the check.
    check = frames[min(1, len(frames) - 1)]
    words = str(error) if isinstance(error, AssertionError) else ""
    return f"{type(error).__name__} at {Path(check.filename).name}:{check.lineno}: {words or frames[-1].line}"
