"""A rotation and a dry run, each begun with the AWS CLI against `sandbox serve`"""

import json
import re
import subprocess
import time

import servers
from bybit_clients import Credential, Pybit, Site, Venue, powers
from report import promise

SECRET = "prod/bybit/main"
SECONDS = 60


class Cli:
    """`aws secretsmanager …` as a person types it, with the stand-in's credentials and none of this machine's settings."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        credentials = {name: value for name, value in sandbox.aws().items() if name != "AWS_ENDPOINT_URL_SECRETS_MANAGER"}
        self.environment = servers.clean_environment(AWS_PAGER="", **credentials)
        self.site = Site.of(sandbox.variables)
        self.venue = Venue(Pybit, self.site)

    def __call__(self, operation, *options):
        command = ["aws", "secretsmanager", operation, "--endpoint-url", self.sandbox.url, "--output", "json"]
        done = subprocess.run(
            [*command, "--secret-id", SECRET, *options],
            env=self.environment, capture_output=True, text=True, timeout=SECONDS,
        )
        assert done.returncode == 0, f"{operation} ended with {done.returncode}: {done.stderr.strip()}"
        return json.loads(done.stdout)

    def value(self, stage="AWSCURRENT"):
        return json.loads(self("get-secret-value", "--version-stage", stage)["SecretString"])

    def key_by(self, stage):
        value = self.value(stage)
        return self.venue.signing_as(Credential(value["api_key"], value["api_secret"]))

    def steps(self):
        """The steps that `sandbox serve` says it ran for the secret."""
        return re.findall(r"^prod/bybit/\*\*\*: (\w+)", self.sandbox.process.text(), re.MULTILINE)


def rotate_secret_rotates_the_key(cli):
    before = cli("describe-secret")
    assert "LastRotatedDate" not in before
    (old,) = before["VersionIdsToStages"]
    began = time.time()
    new = cli("rotate-secret")["VersionId"]

    def rotated():
        described = cli("describe-secret")
        return described if "LastRotatedDate" in described else None

    described = servers.eventually(rotated, f"the rotation is not done: {cli.sandbox.process.lines[-3:]}", SECONDS)
    rotated_at = described["LastRotatedDate"]
    assert began - 1 <= rotated_at <= time.time() + 1, rotated_at
    stages = described["VersionIdsToStages"]
    assert set(stages) == {old, new}, stages
    assert stages[new] == ["AWSCURRENT"], stages
    stamp = rf"REPLACED-\d{{8}}T\d{{6}}Z-{old[:8]}"
    assert re.fullmatch(f"AWSPREVIOUS {stamp}", " ".join(sorted(stages[old]))), stages
    assert cli.steps() == ["createSecret", "setSecret", "testSecret", "finishSecret"], cli.steps()


def both_keys_are_alive_afterwards(cli):
    new, old = cli.key_by("AWSCURRENT").own(), cli.key_by("AWSPREVIOUS").own()
    assert old["apiKey"] == cli.site.sub.key
    assert new["apiKey"] != old["apiKey"]
    assert powers(new) == powers(old), f"{powers(new)} instead of {powers(old)}"


def a_dry_run_does_test_secret_alone_and_changes_nothing(cli):
    def state():
        described = cli("describe-secret")
        kept = {name: described.get(name) for name in ("VersionIdsToStages", "LastRotatedDate", "RotationRules")}
        return kept, cli.value("AWSCURRENT"), cli.value("AWSPREVIOUS"), cli.venue.all_keys()

    before, steps_before = state(), cli.steps()
    cli("rotate-secret", "--no-rotate-immediately")
    servers.eventually(lambda: len(cli.steps()) > len(steps_before), "no step was run", SECONDS)

    def at_rest():
        stages = cli("describe-secret")["VersionIdsToStages"]
        return not any("AWSPENDING" in labels for labels in stages.values())

    servers.eventually(at_rest, "AWSPENDING stayed on", SECONDS)
    # Long enough for a step that should not come to come.
    time.sleep(2)
    assert cli.steps()[len(steps_before) :] == ["testSecret"], cli.steps()
    assert state() == before, "something changed"
    assert not re.search("FAILED", cli.sandbox.process.text()), "a step failed"


def a_second_rotation_rotates_again(cli):
    before = cli("describe-secret")["VersionIdsToStages"]
    (current,) = [version_id for version_id, stages in before.items() if "AWSCURRENT" in stages]
    new = cli("rotate-secret")["VersionId"]

    def rotated():
        stages = cli("describe-secret")["VersionIdsToStages"]
        return stages if stages.get(new) == ["AWSCURRENT"] else None

    stages = servers.eventually(rotated, "the second rotation is not done", SECONDS)
    assert "AWSPREVIOUS" in stages[current], stages
    # Every version that was ever current keeps its stamp: grace counts from there.
    for replaced in before:
        assert any(label.startswith("REPLACED-") for label in stages[replaced]), stages


CHECKS = [
    rotate_secret_rotates_the_key,
    both_keys_are_alive_afterwards,
    a_dry_run_does_test_secret_alone_and_changes_nothing,
    a_second_rotation_rotates_again,
]


def run(report):
    with servers.sandbox() as sandbox:
        cli = Cli(sandbox)
        for check in CHECKS:
            report.check(promise(check), check, cli)
