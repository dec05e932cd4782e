"""Every `aws` command that a page shows is one that the AWS CLI takes"""

import os
import re
import shlex
import tempfile
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from unittest.mock import patch

import servers
from awscli.clidriver import create_clidriver
from botocore.exceptions import BotoCoreError

ROOT = Path(__file__).resolve().parents[2]
# What version 2 of the CLI has and the one that pip installs has not.
OF_VERSION_2 = " --cli-binary-format raw-in-base64-out"
NEW_IN_VERSION_2 = {("logs", "tail")}
# What a reader fills in, and what may stand there.
PLACEHOLDERS = {
    "<version>": "00000000-0000-4000-8000-000000000001",
    "<FunctionArn>": "arn:aws:lambda:us-east-1:123456789012:function:exchange-key-rotation",
    "<label>": "COMPROMISED",
}


def pages():
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands(page):
    """The commands in a page's blocks, each in one line and without its comment."""
    inside, goes_on, found = False, False, []
    for number, line in enumerate(page.read_text().splitlines(), 1):
        line = line.strip()
        if line.startswith("```"):
            inside, goes_on = line in ("```bash", "```console"), False
            continue
        if not inside:
            continue
        words = re.split(r"(?:^|\s)#\s", line.removeprefix("$ "))[0].strip()
        more, words = words.endswith("\\"), words.removesuffix("\\").strip()
        if goes_on:
            found[-1][1] += f" {words}"
        elif words:
            found.append([f"{page.relative_to(ROOT)}:{number}", words])
        goes_on = more
    return found


def shown():
    """Each `aws` command once, with the first place that shows it."""
    places = {}
    for page in pages():
        for place, line in commands(page):
            for words in re.split(r"\s\|\s|\s&&\s|;\s", line):
                if words.startswith("aws "):
                    places.setdefault(words, place)
    return places


class Cli:
    """The AWS CLI up to what it would send: options and parameters are checked, and nothing goes out."""

    def __init__(self):
        self.driver = create_clidriver()
        self.sent = []
        self.driver.session.register("before-call", self._keep)

    def _keep(self, model, params, **_):
        self.sent.append(model.name)
        empty = type("Answer", (), {"status_code": 200})()
        return empty, {"ResponseMetadata": {"HTTPStatusCode": 200}}

    def takes(self, words):
        arguments = shlex.split(words)[1:]
        errors = StringIO()
        try:
            with redirect_stderr(errors), redirect_stdout(StringIO()):
                ended = self.driver.main(arguments)
        except SystemExit as exit_:
            ended = exit_.code
        except (KeyError, BotoCoreError) as error:
            # Nothing was answered, and so there is nothing to print; what counts is what was to be sent.
            ended = 0 if self.sent else error
        assert self.sent, f"{words}\n          ended with {ended}: {errors.getvalue().strip()[-300:]}"


def is_taken(words):
    service, operation = shlex.split(words)[1:3]
    if (service, operation) in NEW_IN_VERSION_2:
        return
    words = words.replace(OF_VERSION_2, "")
    for placeholder, value in PLACEHOLDERS.items():
        words = words.replace(f" {placeholder}", f" {value}")
    words = re.sub(r"(?<= )<(\w+)>", r"\1", words)
    with tempfile.TemporaryDirectory() as directory, chdir(directory):
        for name in re.findall(r"file://([\w-]+\.json)", words):
            Path(name).write_text("{}")
        Cli().takes(words)


def run(report):
    # Where the CLI has its own descriptions of services is in a variable that it sets itself.
    kept = {"AWS_DATA_PATH": os.environ["AWS_DATA_PATH"]}
    credentials = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing"}
    environment = servers.clean_environment(AWS_DEFAULT_REGION="us-east-1", AWS_PAGER="", **kept, **credentials)
    with patch.dict("os.environ", environment, clear=True):
        for words, place in shown().items():
            report.check(f"{place}: {' '.join(words.split()[:3])}", is_taken, words)
        report.check("a command with a wrong option is not taken", a_wrong_one_is_not_taken)


def a_wrong_one_is_not_taken():
    for wrong in [
        "aws secretsmanager rotate-secret --secret prod/bybit/main --now",
        "aws secretsmanager rotate-secrets --secret-id prod/bybit/main",
        "aws secretsmanager rotate-secret",
        "aws secretsmanager rotate-secret --secret-id x --rotation-rules '{\"Every\":\"day\"}'",
    ]:
        try:
            is_taken(wrong)
        except AssertionError:
            continue
        raise AssertionError(f"{wrong} is taken")
