"""The prebuilt operations function and emergency function, each under `cargo lambda watch`, invoked with the files in events/ beside `sandbox serve`"""

import csv
import io
import json

import aws_clients
import servers
from bybit_clients import Credential, Pybit, Site, Venue
from check_cargo_lambda import function, path
from report import promise

ROTATION_FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:exchange-key-rotation"
OPERATIONS = {"ROTATION_FUNCTION_ARN": ROTATION_FUNCTION, "EMERGENCY_FUNCTION_ARN": f"{ROTATION_FUNCTION}-emergency"}
EMERGENCY = {"ROTATION_FUNCTION_ARN": ROTATION_FUNCTION, "OPERATIONS_FUNCTION_ARN": f"{ROTATION_FUNCTION}-operations"}
FOR_EMERGENCIES = {"break_glass", "rollback", "abandon"}
SECRET = "prod/bybit/main"
FIELDS = {"operation", "outcome", "version", "request_id", "dry_run", "counts", "findings", "secrets"}


class Fleet:
    """The functions, and the secrets that `sandbox serve` begins with."""

    def __init__(self, sandbox, invoke):
        self.invoke = invoke
        self.arn = sandbox.arns[SECRET]
        self.store = aws_clients.client("secretsmanager", sandbox.url, sandbox.variables)
        self.venue = Venue(Pybit, Site.of(sandbox.variables))

    def answer(self, name):
        """What the function answers to a file of events/."""
        return self.to(path(name))

    def to(self, file):
        done = self.invoke(file)
        assert done.returncode == 0, f"{file.name}: {done.stderr.strip()}"
        answer = json.loads(done.stdout)
        assert FIELDS <= answer.keys(), sorted(answer)
        return answer

    def asked(self, event):
        """What it answers to an event that no file has."""
        file = servers.build()["exchange-key-rotation"].parent / "peers-operation.json"
        file.write_text(json.dumps(event))
        try:
            return self.to(file)
        finally:
            file.unlink()

    def current(self):
        value = json.loads(self.store.get_secret_value(SecretId=self.arn)["SecretString"])
        return Credential(value["api_key"], value["api_secret"])

    def labels(self):
        return self.store.describe_secret(SecretId=self.arn)["VersionIdsToStages"]

    def state(self):
        return self.labels(), self.venue.all_keys()


def is_for_emergencies(file):
    return json.loads(file.read_text()).get("operation") in FOR_EMERGENCIES


def codes(answer, severities=("page", "ticket", "info")):
    return [finding["code"] for finding in answer["findings"] if finding["severity"] in severities]


def the_files_that_only_look_change_nothing(fleet):
    before = fleet.state()
    for name in ("plan", "audit", "audit_csv", "audit_findings", "audit_match", "maintain_dry_run"):
        answer = fleet.answer(name)
        assert answer["operation"] == name.split("_")[0], answer["operation"]
        assert "NOT_DONE" not in codes(answer), answer["findings"]
    assert fleet.state() == before


def a_plan_says_that_a_rotation_would_succeed(fleet):
    (row,) = fleet.answer("plan")["secrets"]
    assert row["plan"]["would_succeed"], row


def an_audit_has_a_row_for_each_secret_and_its_table_the_same(fleet):
    names = {row["secret"] for row in fleet.answer("audit")["secrets"]}
    assert SECRET in names, names
    table = list(csv.DictReader(io.StringIO(fleet.answer("audit_csv")["csv"])))
    assert {row["secret"] for row in table} == names, table


def an_audit_finds_the_secret_of_a_key_by_its_fingerprint(fleet):
    answer = fleet.answer("audit_match")
    assert "KEY_FOUND" in codes(answer), answer["findings"]
    assert [row["secret"] for row in answer["secrets"]] == [SECRET], answer["secrets"]


def broken_glass_replaces_the_leaked_key_and_proves_it_dead_within_a_minute(fleet):
    leaked = fleet.current()
    answer = fleet.answer("break_glass")
    assert codes(answer, ("page",)) == [], answer["findings"]
    assert 0 <= answer["exposure_seconds"] < 60, answer["exposure_seconds"]
    assert fleet.current() != leaked
    fleet.venue.signing_as(fleet.current()).own()
    with Pybit.refusal(10003):
        fleet.venue.signing_as(leaked).own()
    assert "COMPROMISED" not in [label for labels in fleet.labels().values() for label in labels], fleet.labels()


def a_pass_after_it_finds_nothing_left_to_do(fleet):
    answer = fleet.answer("maintain")
    assert answer["outcome"] == "ok", answer["findings"]
    assert not {"revoked", "condemned", "retired", "stamped"} & answer["counts"].keys(), answer["counts"]


def a_rollback_to_the_dead_key_is_refused_and_changes_nothing(fleet):
    before = fleet.state()
    answer = fleet.answer("rollback")
    assert answer["outcome"] == "failed", answer
    assert codes(answer) == ["REFUSED"], answer["findings"]
    assert fleet.state() == before


def there_is_nothing_to_abandon(fleet):
    assert fleet.answer("abandon")["outcome"] == "failed"


def the_steps_of_a_rotation_are_refused(fleet):
    done = fleet.invoke(path("create_secret"))
    assert done.returncode != 0, done.stdout
    assert "EVENT_INVALID" in done.stderr, done.stderr


CHECKS = [
    the_files_that_only_look_change_nothing,
    a_plan_says_that_a_rotation_would_succeed,
    an_audit_has_a_row_for_each_secret_and_its_table_the_same,
    an_audit_finds_the_secret_of_a_key_by_its_fingerprint,
    broken_glass_replaces_the_leaked_key_and_proves_it_dead_within_a_minute,
    a_pass_after_it_finds_nothing_left_to_do,
    a_rollback_to_the_dead_key_is_refused_and_changes_nothing,
    there_is_nothing_to_abandon,
    the_steps_of_a_rotation_are_refused,
]


def run(report):
    with (
        servers.sandbox() as sandbox,
        function(sandbox.for_function() | OPERATIONS) as operations,
        function(sandbox.for_function() | EMERGENCY) as emergency,
    ):
        fleet = Fleet(sandbox, lambda file: (emergency if is_for_emergencies(file) else operations)(file))
        for check in CHECKS:
            report.check(promise(check), check, fleet)
