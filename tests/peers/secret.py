"""One secret in one store, with the few calls that the rules are about in short words."""

from aws_clients import refusal


def version(word):
    """A version id that can be told apart: 32 to 64 letters, digits and hyphens."""
    return word.ljust(32, "-")


FIRST, SECOND, THIRD, NOWHERE = version("first"), version("second"), version("third"), version("nowhere")
EVERY_90_DAYS = {"AutomaticallyAfterDays": 90}


class Secret:
    """A name that nothing else uses in this store. `client` is boto3's, `function_arn` one that the store accepts."""

    def __init__(self, client, name, function_arn):
        self.client = client
        self.name = name
        self.function_arn = function_arn

    def create(self, value="one", **more):
        """The secret with FIRST as its current version."""
        parameters = {"Name": self.name, "SecretString": value, "ClientRequestToken": FIRST, **more}
        return self.client.create_secret(**parameters)["ARN"]

    def put(self, version_id, value, *stages):
        """The code that it is refused with; None if it is accepted."""
        named = {"VersionStages": list(stages)} if stages else {}
        return self.refusal("put_secret_value", ClientRequestToken=version_id, SecretString=value, **named)

    def move(self, stage, to=None, taken_from=None):
        """The code that it is refused with; None if it is accepted."""
        versions = {"MoveToVersionId": to, "RemoveFromVersionId": taken_from}
        given = {name: version_id for name, version_id in versions.items() if version_id}
        return self.refusal("update_secret_version_stage", VersionStage=stage, **given)

    def rotate(self, version_id, **more):
        """The code that it is refused with; None if it is accepted."""
        parameters = {"RotationLambdaARN": self.function_arn, "RotationRules": EVERY_90_DAYS, **more}
        return self.refusal("rotate_secret", ClientRequestToken=version_id, **parameters)

    def delete(self, **how):
        """The code that it is refused with; None if it is accepted."""
        return self.refusal("delete_secret", **how)

    def refusal(self, operation, **parameters):
        return refusal(getattr(self.client, operation), **{"SecretId": self.name, **parameters})

    def read(self, **which):
        """The value, text or bytes."""
        reply = self.client.get_secret_value(SecretId=self.name, **which)
        return reply["SecretString"] if "SecretString" in reply else reply["SecretBinary"]

    def unreadable(self, **which):
        """The code that a read is refused with; None if there is something to read."""
        return self.refusal("get_secret_value", **which)

    def described(self):
        return self.client.describe_secret(SecretId=self.name)

    def stages(self):
        """The labels of each version that has any."""
        described = self.described().get("VersionIdsToStages", {})
        return {version_id: set(stages) for version_id, stages in described.items() if stages}

    def tags(self):
        return {tag["Key"]: tag["Value"] for tag in self.described().get("Tags", [])}


def expect(seen, wanted):
    assert seen == wanted, f"{seen!r} instead of {wanted!r}"
