"""The function against moto's Secrets Manager, under a Lambda runtime API of these checks' own

moto begins the rotation and keeps the secret, pybit asks the venue: neither knows anything of this project.
"""

import base64
import json
import re
import urllib.parse
import uuid
from dataclasses import dataclass, field

import aws_clients
import runtime_api
import servers
from bybit_clients import Credential, Pybit, Site, Venue, powers
from report import promise

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
NAME = "prod/bybit/moto"
TOKEN = str(uuid.uuid4())
# What Secrets Manager sends along with a step, and no one may print.
ROTATION_TOKEN = "rotation-token-" + str(uuid.uuid4())
OURS = ["created_at", "created_by", "rotation"]


@dataclass
class Rotation:
    """What the checks look at: the world, and how it was before."""

    store: object
    venue: Venue
    function: runtime_api.Function
    arn: str
    old_version: str
    old_text: str
    keys_before: dict
    answers: dict = field(default_factory=dict)

    def event(self, step):
        return {"Step": step, "SecretId": self.arn, "ClientRequestToken": TOKEN, "RotationToken": ROTATION_TOKEN}

    def text(self, stage):
        return self.store.get_secret_value(SecretId=self.arn, VersionStage=stage)["SecretString"]

    def credential(self, stage):
        value = json.loads(self.text(stage))
        return Credential(value["api_key"], value["api_secret"])

    def stages(self):
        described = self.store.describe_secret(SecretId=self.arn)["VersionIdsToStages"]
        return {version_id: sorted(stages) for version_id, stages in described.items()}


def rotation_begins_with_an_empty_pending_version(rotation):
    assert rotation.stages() == {rotation.old_version: ["AWSCURRENT"], TOKEN: ["AWSPENDING"]}, rotation.stages()
    code = aws_clients.refusal(rotation.store.get_secret_value, SecretId=rotation.arn, VersionId=TOKEN)
    assert code == "ResourceNotFoundException", code


def an_event_with_an_unknown_step_is_reported_as_event_invalid(rotation):
    answer = rotation.function.invoke(rotation.event("rotateSecret"))
    assert answer.error_type == "EVENT_INVALID", answer
    assert "rotateSecret" in answer.error_message, answer
    rotation_begins_with_an_empty_pending_version(rotation)


def each_step_succeeds(rotation):
    outcomes = []
    for step in STEPS:
        answer = rotation.function.invoke(rotation.event(step))
        assert answer.succeeded, f"{step}: {answer}"
        outcomes.append(answer.reply["outcome"])
    rotation.answers["first"] = outcomes


def the_new_version_is_current_and_the_old_one_is_previous_and_stamped(rotation):
    stages = rotation.stages()
    assert set(stages) == {rotation.old_version, TOKEN}, stages
    # moto leaves AWSPENDING where it is; AWS takes it off by itself.
    assert stages[TOKEN] == ["AWSCURRENT", "AWSPENDING"], stages
    stamp = rf"REPLACED-\d{{8}}T\d{{6}}Z-{rotation.old_version[:8]}"
    assert re.fullmatch(f"AWSPREVIOUS {stamp}", " ".join(stages[rotation.old_version])), stages


def consumers_find_a_document_with_new_values_and_every_field_in_its_place(rotation):
    old, new = rotation.old_text, rotation.text("AWSCURRENT")
    before, after = json.loads(old), json.loads(new)
    assert [name for name in after if name not in OURS] == list(before), list(after)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"api_key", "api_secret"}, changed
    # As text too: a number keeps its digits.
    desk = re.search(r'"desk": ?(\{.*?\})', old)[1]
    assert desk.replace(" ", "") in new.replace(" ", ""), "the desk's numbers were rewritten"
    assert after["created_by"] == "exchange-key-rotation", after["created_by"]
    provenance = after["rotation"]
    assert (provenance["token"], provenance["based_on"]) == (TOKEN, rotation.old_version), "the value's own origin is wrong"


def the_old_version_still_holds_what_it_held(rotation):
    assert rotation.text("AWSPREVIOUS") == rotation.old_text


def the_new_key_is_alive_with_the_old_keys_powers_and_addresses(rotation):
    new = rotation.venue.signing_as(rotation.credential("AWSCURRENT")).own()
    old = rotation.keys_before[rotation.venue.site.sub.key]
    assert powers(new) == powers(old), f"{powers(new)} instead of {powers(old)}"
    assert sorted(new["ips"]) == sorted(old["ips"]), new["ips"]
    assert str(new["userID"]) == str(rotation.venue.site.sub_uid), new["userID"]


def the_old_key_is_alive(rotation):
    assert rotation.credential("AWSPREVIOUS") == rotation.venue.site.sub
    own = rotation.venue.sub().own()
    assert own["apiKey"] == rotation.venue.site.sub.key


def one_key_was_issued_and_it_bears_the_marker(rotation):
    keys = rotation.venue.all_keys()
    issued = {key: entry for key, entry in keys.items() if key not in rotation.keys_before}
    assert set(issued) == {rotation.credential("AWSCURRENT").key}, f"{len(issued)} keys are new"
    (entry,) = issued.values()
    assert re.fullmatch(r"x1[0-9a-z]{14}", entry["note"]), entry["note"]
    unchanged = {key: entry for key, entry in keys.items() if key not in issued}
    assert unchanged == rotation.keys_before, "another key was edited or revoked"


def all_four_steps_again_change_nothing(rotation):
    before = (rotation.stages(), rotation.text("AWSCURRENT"), rotation.venue.all_keys())
    for step in STEPS:
        answer = rotation.function.invoke(rotation.event(step))
        assert answer.succeeded, f"{step}: {answer}"
        assert answer.reply["outcome"] not in rotation.answers["first"], f"{step} claims to have done it again: {answer.reply}"
    after = (rotation.stages(), rotation.text("AWSCURRENT"), rotation.venue.all_keys())
    assert after == before, "something changed"


def an_event_for_a_token_that_is_no_version_is_refused(rotation):
    event = rotation.event("createSecret") | {"ClientRequestToken": str(uuid.uuid4())}
    answer = rotation.function.invoke(event)
    assert answer.error_type == "VERSION_UNKNOWN", answer


def nothing_secret_is_in_the_functions_output(rotation):
    output = rotation.function.output()
    assert output.count("\n") >= 2 * len(STEPS), "it wrote next to nothing: there is nothing to look at"
    secrets = {
        "the old key's secret": rotation.credential("AWSPREVIOUS").secret,
        "the new key's secret": rotation.credential("AWSCURRENT").secret,
        "the master key's secret": rotation.venue.site.master.secret,
        "the rotation token": ROTATION_TOKEN,
    }
    for name, secret in secrets.items():
        for form in forms(secret):
            assert form not in output, f"{name} is in the output"


def forms(secret):
    """A secret as it is and as it would be when encoded: alone, or at any place in a longer text."""
    raw = secret.encode()
    # Three bytes are four characters: what stands before shifts them, and the characters at the ends depend on the neighbours.
    shifted = [base64.b64encode(b"\0" * shift + raw).decode()[4:-4] for shift in range(3)]
    return {secret, raw.hex(), raw.hex().upper(), urllib.parse.quote(secret, safe=""), *shifted}


CHECKS = [
    rotation_begins_with_an_empty_pending_version,
    an_event_with_an_unknown_step_is_reported_as_event_invalid,
    each_step_succeeds,
    the_new_version_is_current_and_the_old_one_is_previous_and_stamped,
    consumers_find_a_document_with_new_values_and_every_field_in_its_place,
    the_old_version_still_holds_what_it_held,
    the_new_key_is_alive_with_the_old_keys_powers_and_addresses,
    the_old_key_is_alive,
    one_key_was_issued_and_it_bears_the_marker,
    all_four_steps_again_change_nothing,
    an_event_for_a_token_that_is_no_version_is_refused,
    nothing_secret_is_in_the_functions_output,
]


def run(report):
    with servers.sandbox() as sandbox, servers.moto() as moto:
        site = Site.of(sandbox.variables)
        venue = Venue(Pybit, site)
        store = aws_clients.client("secretsmanager", moto, sandbox.variables)
        function_arn = aws_clients.no_op_function(moto, sandbox.variables, "exchange-key-rotation")
        arn, version, text = seed(store, site)
        # moto invokes the no-op function for every step, and leaves the rest to these checks.
        rules = {"AutomaticallyAfterDays": 90}
        store.rotate_secret(SecretId=arn, ClientRequestToken=TOKEN, RotationLambdaARN=function_arn, RotationRules=rules)
        environment = sandbox.for_function() | {"AWS_ENDPOINT_URL_SECRETS_MANAGER": moto}
        binary = servers.build()["exchange-key-rotation"]
        with runtime_api.function(binary, function_arn, **environment) as function:
            rotation = Rotation(store, venue, function, arn, version, text, venue.all_keys())
            for check in CHECKS:
                report.check(promise(check), check, rotation)


def seed(store, site):
    """The master's secret, and the secret to rotate: its ARN, version and value."""
    common = {"exchange": "bybit", "environment": "mainnet"}
    master = common | {"api_key": site.master.key, "api_secret": site.master.secret}
    master_arn = store.create_secret(Name="prod/bybit/master", SecretString=json.dumps(master))["ARN"]
    before = json.dumps(common | {"api_key": site.sub.key, "api_secret": site.sub.secret})
    after = json.dumps({"subaccount": str(site.sub_uid), "masterarn": master_arn, "rotation_schedule": "90_days"})
    desk = '"desk": {"name": "market making", "limits": [1.50, 2e3, 9007199254740993]}'
    text = f"{before[:-1]}, {desk}, {after[1:]}"
    created = store.create_secret(Name=NAME, SecretString=text)
    return created["ARN"], created["VersionId"], text
