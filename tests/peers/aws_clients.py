"""boto3 clients for a server on this machine, and the moto server's no-op Lambda function."""

import io
import zipfile

import boto3
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

# Each call is made once and as written: what a server refuses is what is to be seen here.
CONFIG = Config(retries={"total_max_attempts": 1}, parameter_validation=False, connect_timeout=5, read_timeout=30)


def client(service, url, variables):
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=variables["AWS_REGION"],
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        config=CONFIG,
    )


def no_op_function(url, variables, name):
    """The ARN of a function in moto that does nothing when a rotation invokes it, and needs no container for that."""
    requests.post(f"{url}/moto-api/config", json={"lambda": {"use_docker": False}}, timeout=10).raise_for_status()
    role = client("iam", url, variables).create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("no_op.py", "def handler(event, context): pass\n")
    created = client("lambda", url, variables).create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=role["Arn"],
        Handler="no_op.handler",
        Code={"ZipFile": code.getvalue()},
    )
    return created["FunctionArn"]


def refusal(call, **parameters):
    """The code that the call is refused with; None if it is accepted."""
    try:
        call(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None
