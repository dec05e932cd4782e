"""A Python runtime for Lambda with nothing to spare: it imports the handler, then asks the runtime API for work, one event at a time.

AWS's own runtime client does the same and more, so that figures taken with this one flatter Python.
"""

import http.client
import json
import os

import lambda_function

NEXT = "/2018-06-01/runtime/invocation/next"


def exchange(api, method, path, body=None):
    api.request(method, path, body=body)
    response = api.getresponse()
    return response.headers, response.read()


def main():
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        headers, event = exchange(api, "GET", NEXT)
        invocation = f"/2018-06-01/runtime/invocation/{headers['Lambda-Runtime-Aws-Request-Id']}"
        try:
            answer = json.dumps(lambda_function.lambda_handler(json.loads(event), None))
            exchange(api, "POST", f"{invocation}/response", answer)
        except Exception as error:  # The runtime outlives whatever the handler does.
            report = json.dumps({"errorType": type(error).__name__, "errorMessage": str(error)})
            exchange(api, "POST", f"{invocation}/error", report)


main()
