"""Lambda's runtime API, as far as a function needs it: a second opinion on the sandbox's own.

Written from the AWS Lambda developer guide, "Using the Lambda runtime API", for one process and one invocation at a time.
"""

import json
import queue
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import servers

PREFIX = "/2018-06-01/runtime"
TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Answer:
    """What the function made of an event: its reply, or the error that it reported."""

    reply: object = None
    error_type: str = ""
    error_message: str = ""

    @property
    def succeeded(self):
        return not self.error_type


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path != f"{PREFIX}/invocation/next":
            return self.reply(404)
        work = self.server.work.get()
        if work is None:
            return self.reply(500)
        request_id, event, function_arn = work
        deadline = int((time.time() + TIMEOUT_SECONDS) * 1000)
        self.reply(
            200,
            json.dumps(event).encode(),
            {
                "lambda-runtime-aws-request-id": request_id,
                "lambda-runtime-deadline-ms": str(deadline),
                "lambda-runtime-invoked-function-arn": function_arn,
            },
        )

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])) or "null")
        reported = self.path.removeprefix(f"{PREFIX}/")
        if reported == "init/error":
            answer = (None, failed(body))
        elif reported.startswith("invocation/") and reported.endswith("/response"):
            answer = (reported.split("/")[1], Answer(reply=body))
        elif reported.startswith("invocation/") and reported.endswith("/error"):
            answer = (reported.split("/")[1], failed(body))
        else:
            return self.reply(404)
        self.server.answers.put(answer)
        self.reply(202)

    def reply(self, status, body=b"", headers=None):
        self.send_response(status)
        for name, value in {"content-type": "application/json", "content-length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Nothing: an access log is no part of a check."""


def failed(body):
    return Answer(error_type=body["errorType"], error_message=body["errorMessage"])


class Function:
    """The function's running process, to invoke."""

    def __init__(self, process, server, arn):
        self.process = process
        self.server = server
        self.arn = arn

    def invoke(self, event):
        request_id = str(uuid.uuid4())
        self.server.work.put((request_id, event, self.arn))

        def answered():
            assert self.process.popen.poll() is None, "the function's process ended"
            return not self.server.answers.empty()

        servers.eventually(answered, "the function did not answer", TIMEOUT_SECONDS + 5)
        answered_id, answer = self.server.answers.get()
        assert answered_id == request_id, f"an answer to {answered_id} instead of {request_id}: {answer}"
        return answer

    def output(self):
        return self.process.text()


@contextmanager
def function(binary, arn, **environment):
    """The function's real binary as Lambda would run it, seeing this environment and nothing else."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.work, server.answers = queue.Queue(), queue.Queue()
    Thread(target=server.serve_forever, daemon=True).start()
    lambdas = {
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}",
        "AWS_LAMBDA_FUNCTION_NAME": arn.rsplit(":", 1)[-1],
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
    }
    try:
        with servers.running([binary], {**environment, **lambdas}) as process:
            yield Function(process, server, arn)
    finally:
        server.shutdown()
        server.server_close()
