"""The prebuilt function under `cargo lambda watch`, invoked with the files in events/"""

import json
import re
import socket
import subprocess
from contextlib import contextmanager

import aws_clients
import servers
from bybit_clients import Credential, Pybit, Site, Venue, powers
from report import promise

FILES = ("create_secret", "set_secret", "test_secret", "finish_secret")
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
SECRET = "prod/bybit/events"
SECONDS = 60


class Watched:
    """The function under cargo-lambda, and the world that it rotates in."""

    def __init__(self, sandbox, invoke):
        self.invoke = invoke
        self.arn = sandbox.arns[SECRET]
        self.store = aws_clients.client("secretsmanager", sandbox.url, sandbox.variables)
        self.site = Site.of(sandbox.variables)
        # The events' secret is of a sub-account of its own.
        value = self.value("AWSCURRENT")
        self.old = Credential(value["api_key"], value["api_secret"])
        self.venue = Venue(Pybit, Site(self.site.url, self.site.master, self.old, int(value["subaccount"])))

    def value(self, stage):
        return json.loads(self.store.get_secret_value(SecretId=self.arn, VersionStage=stage)["SecretString"])


def path(name):
    return servers.ROOT / "events" / f"{name}.json"


def each_event_file_is_the_step_it_is_named_for_of_the_seeded_secret(watched):
    stages = watched.store.describe_secret(SecretId=watched.arn)["VersionIdsToStages"]
    (open_version,) = [version_id for version_id, labels in stages.items() if labels == ["AWSPENDING"]]
    for name, step in zip(FILES, STEPS, strict=True):
        wanted = {"Step": step, "SecretId": watched.arn, "ClientRequestToken": open_version}
        event = json.loads(path(name).read_text())
        assert event == wanted, f"{name}.json is {event} instead of {wanted}"


def each_event_file_invokes_its_step(watched):
    for name, step in zip(FILES, STEPS, strict=True):
        done = watched.invoke(path(name).relative_to(servers.ROOT))
        assert done.returncode == 0, f"{name}.json: {done.stderr.strip()}"
        answer = json.loads(done.stdout)
        assert answer["step"] == step, answer


def the_secret_is_rotated_afterwards(watched):
    stages = watched.store.describe_secret(SecretId=watched.arn)["VersionIdsToStages"]
    token = json.loads(path(FILES[0]).read_text())["ClientRequestToken"]
    assert "AWSCURRENT" in stages[token], stages
    (replaced,) = [labels for version_id, labels in stages.items() if version_id != token]
    assert re.fullmatch(r"AWSPREVIOUS REPLACED-\S+", " ".join(sorted(replaced))), stages
    value = watched.value("AWSCURRENT")
    new = watched.venue.signing_as(Credential(value["api_key"], value["api_secret"])).own()
    old = watched.venue.sub().own()
    assert new["apiKey"] != old["apiKey"]
    assert powers(new) == powers(old), f"{powers(new)} instead of {powers(old)}"


def the_same_files_again_change_nothing(watched):
    before = watched.value("AWSCURRENT"), watched.venue.all_keys()
    for name in FILES:
        done = watched.invoke(path(name).relative_to(servers.ROOT))
        assert done.returncode == 0, f"{name}.json: {done.stderr.strip()}"
    assert (watched.value("AWSCURRENT"), watched.venue.all_keys()) == before


def an_event_that_is_no_step_fails_with_its_error_type(watched):
    file = servers.build()["exchange-key-rotation"].parent / "peers-no-step.json"
    file.write_text(json.dumps({"Step": "rotateSecret", "SecretId": watched.arn, "ClientRequestToken": "x" * 32}))
    try:
        done = watched.invoke(file)
    finally:
        file.unlink()
    assert done.returncode != 0, "it succeeded"
    assert "EVENT_INVALID" in done.stderr, done.stderr


CHECKS = [
    each_event_file_is_the_step_it_is_named_for_of_the_seeded_secret,
    each_event_file_invokes_its_step,
    the_secret_is_rotated_afterwards,
    the_same_files_again_change_nothing,
    an_event_that_is_no_step_fails_with_its_error_type,
]


def run(report):
    with servers.sandbox() as sandbox, function(sandbox.for_function()) as invoke:
        watched = Watched(sandbox, invoke)
        for check in CHECKS:
            report.check(promise(check), check, watched)


@contextmanager
def function(environment):
    """The function in this environment, under `cargo lambda watch`; gives what invokes it with a file."""
    port = free_port()
    watch = ["cargo", "lambda", "watch", "--only-lambda-apis", "-A", "127.0.0.1", "-P", str(port)]
    with servers.running(watch, servers.clean_environment(NO_COLOR="1")) as watching:
        watching.wait_for("starting Runtime server")
        servers.eventually(lambda: listens(port), "cargo-lambda does not listen")
        binary = servers.build()["exchange-key-rotation"]
        runtime = {
            "AWS_LAMBDA_RUNTIME_API": f"http://127.0.0.1:{port}/.rt",
            "AWS_LAMBDA_FUNCTION_NAME": "_",
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        }
        with servers.running([binary], environment | runtime):
            yield lambda file: invoke(port, file)


def invoke(port, file):
    command = ["cargo", "lambda", "invoke", "-A", "127.0.0.1", "-P", str(port), "--data-file", file]
    return subprocess.run(
        command, cwd=servers.ROOT, env=servers.clean_environment(), capture_output=True, text=True, timeout=SECONDS
    )


def free_port():
    """One that was free just now: cargo-lambda takes a port, and cannot be asked which it found."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def listens(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
