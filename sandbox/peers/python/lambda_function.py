"""What one would write today: the shape of AWS's generic rotation template, filled in for Bybit.

It has the template's own checks and no others: no policy, no grace, no look before it issues, no second try. It is here to be measured
beside the function, not to be used.
"""

import hashlib
import hmac
import json
import logging
import os
import time
import urllib.request

import boto3

logger = logging.getLogger()
logger.setLevel(logging.INFO)

RECV_WINDOW = "5000"


def lambda_handler(event, context):
    arn, token, step = event["SecretId"], event["ClientRequestToken"], event["Step"]
    service_client = boto3.client("secretsmanager", endpoint_url=os.environ["SECRETS_MANAGER_ENDPOINT"])

    metadata = service_client.describe_secret(SecretId=arn)
    if not metadata.get("RotationEnabled"):
        raise ValueError(f"Secret {arn} is not enabled for rotation")
    versions = metadata["VersionIdsToStages"]
    if token not in versions:
        raise ValueError(f"Secret version {token} has no stage for rotation of secret {arn}.")
    if "AWSCURRENT" in versions[token]:
        logger.info("Secret version %s already set as AWSCURRENT for secret %s.", token, arn)
        return
    if "AWSPENDING" not in versions[token]:
        raise ValueError(f"Secret version {token} not set as AWSPENDING for rotation of secret {arn}.")

    if step == "createSecret":
        create_secret(service_client, arn, token, event.get("RotationToken"))
    elif step == "setSecret":
        set_secret(service_client, arn, token)
    elif step == "testSecret":
        test_secret(service_client, arn, token)
    elif step == "finishSecret":
        finish_secret(service_client, arn, token)
    else:
        raise ValueError("Invalid step parameter")


def create_secret(service_client, arn, token, rotation_token):
    """Issues a key with the permissions and addresses of the current one, unless this version has its value."""
    current = read(service_client, arn, VersionStage="AWSCURRENT")
    try:
        read(service_client, arn, VersionId=token, VersionStage="AWSPENDING")
        logger.info("createSecret: Successfully retrieved secret for %s.", arn)
        return
    except service_client.exceptions.ResourceNotFoundException:
        pass
    master = read(service_client, current["masterarn"], VersionStage="AWSCURRENT")
    now = bybit(current, "GET", "/v5/user/query-api")
    groups = {"ContractTrade": {"Order", "Position"}, "Spot": {"SpotTrade"}}
    wanted = {group: sorted(known & set(now["permissions"].get(group, []))) for group, known in groups.items()}
    key = bybit(
        master,
        "POST",
        "/v5/user/create-sub-api",
        {
            "subuid": int(current["subaccount"]),
            "note": "rotated",
            "readOnly": 0,
            "ips": ",".join(now["ips"]),
            "permissions": {group: values for group, values in wanted.items() if values},
        },
    )
    current.update(api_key=key["apiKey"], api_secret=key["secret"])
    more = {"RotationToken": rotation_token} if rotation_token else {}
    service_client.put_secret_value(
        SecretId=arn,
        ClientRequestToken=token,
        SecretString=json.dumps(current),
        VersionStages=["AWSPENDING"],
        **more,
    )
    logger.info("createSecret: Successfully put secret for ARN %s and version %s.", arn, token)


def set_secret(service_client, arn, token):
    """Nothing: Bybit has known the key since it issued it."""


def test_secret(service_client, arn, token):
    """Asks Bybit about the key, signed with it."""
    bybit(read(service_client, arn, VersionId=token, VersionStage="AWSPENDING"), "GET", "/v5/user/query-api")


def finish_secret(service_client, arn, token):
    """Moves AWSCURRENT to the new version."""
    metadata = service_client.describe_secret(SecretId=arn)
    current_version = None
    for version, stages in metadata["VersionIdsToStages"].items():
        if "AWSCURRENT" in stages:
            if version == token:
                logger.info("finishSecret: Version %s already marked as AWSCURRENT for %s", version, arn)
                return
            current_version = version
            break
    service_client.update_secret_version_stage(
        SecretId=arn, VersionStage="AWSCURRENT", MoveToVersionId=token, RemoveFromVersionId=current_version
    )
    logger.info("finishSecret: Successfully set AWSCURRENT stage to version %s for secret %s.", token, arn)


def read(service_client, arn, **which):
    return json.loads(service_client.get_secret_value(SecretId=arn, **which)["SecretString"])


def bybit(credential, method, path, body=None):
    """One signed call."""
    payload = json.dumps(body) if body is not None else ""
    timestamp = str(int(time.time() * 1000))
    message = timestamp + credential["api_key"] + RECV_WINDOW + payload
    request = urllib.request.Request(
        os.environ["BYBIT_BASE_URL"] + path,
        method=method,
        data=payload.encode() if body is not None else None,
        headers={
            "Content-Type": "application/json",
            "X-BAPI-API-KEY": credential["api_key"],
            "X-BAPI-TIMESTAMP": timestamp,
            "X-BAPI-RECV-WINDOW": RECV_WINDOW,
            "X-BAPI-SIGN": hmac.new(credential["api_secret"].encode(), message.encode(), hashlib.sha256).hexdigest(),
        },
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        answer = json.load(response)
    if answer["retCode"] != 0:
        raise RuntimeError(f"Bybit refused {method} {path}: {answer['retCode']} {answer['retMsg']}")
    return answer["result"]
