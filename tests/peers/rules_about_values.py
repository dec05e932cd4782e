"""Rules that moto keeps about CreateSecret, PutSecretValue, UpdateSecret and GetSecretValue."""

from aws_clients import refusal
from rules import BAD_PARAMETER, BAD_REQUEST, EXISTS, NOT_FOUND, kept
from secret import FIRST, NOWHERE, SECOND, THIRD, expect

# CreateSecret


@kept
def a_new_secrets_value_is_current(secret):
    secret.create("one")
    expect(secret.read(), "one")
    expect(secret.stages(), {FIRST: {"AWSCURRENT"}})


@kept
def the_same_secret_created_again_is_the_same_secret(secret):
    arn = secret.create("one")
    expect(secret.create("one"), arn)
    expect(secret.stages(), {FIRST: {"AWSCURRENT"}})


@kept
def a_name_in_use_is_refused(secret):
    secret.create("one")
    create = {"Name": secret.name, "SecretString": "one", "ClientRequestToken": SECOND}
    expect(refusal(secret.client.create_secret, **create), EXISTS)
    again = create | {"ClientRequestToken": FIRST, "SecretString": "two"}
    expect(refusal(secret.client.create_secret, **again), EXISTS)
    expect(secret.stages(), {FIRST: {"AWSCURRENT"}})


@kept
def a_secret_without_a_value_cannot_be_read(secret):
    secret.client.create_secret(Name=secret.name)
    expect(secret.unreadable(), NOT_FOUND)
    expect(secret.stages(), {})


@kept
def a_secret_is_found_by_name_by_arn_and_by_arn_without_its_ending(secret):
    arn = secret.create()
    for identifier in (secret.name, arn, arn[:-7]):
        expect(secret.client.describe_secret(SecretId=identifier)["ARN"], arn)
        expect(secret.client.get_secret_value(SecretId=identifier)["ARN"], arn)


@kept
def an_unknown_secret_is_not_found(secret):
    for operation, parameters in [
        ("describe_secret", {}),
        ("get_secret_value", {}),
        ("put_secret_value", {"ClientRequestToken": FIRST, "SecretString": "one"}),
        ("update_secret_version_stage", {"VersionStage": "OURS", "MoveToVersionId": FIRST}),
        ("rotate_secret", {"RotationLambdaARN": secret.function_arn}),
        ("cancel_rotate_secret", {}),
        ("delete_secret", {}),
        ("restore_secret", {}),
        ("update_secret", {"Description": "none"}),
        ("tag_resource", {"Tags": [{"Key": "team", "Value": "desk"}]}),
        ("untag_resource", {"TagKeys": ["team"]}),
    ]:
        expect((operation, secret.refusal(operation, **parameters)), (operation, NOT_FOUND))


# PutSecretValue and UpdateSecret: a write-once register for each token


@kept
def a_put_that_names_no_label_becomes_current_and_the_current_one_previous(secret):
    secret.create("one")
    expect(secret.put(SECOND, "two"), None)
    expect(secret.read(), "two")
    expect(secret.stages(), {FIRST: {"AWSPREVIOUS"}, SECOND: {"AWSCURRENT"}})


@kept
def a_pending_put_leaves_the_current_value_alone(secret):
    secret.create("one")
    expect(secret.put(SECOND, "two", "AWSPENDING"), None)
    expect(secret.read(), "one")
    expect(secret.read(VersionStage="AWSCURRENT"), "one")
    expect(secret.stages(), {FIRST: {"AWSCURRENT"}, SECOND: {"AWSPENDING"}})


@kept
def the_first_value_becomes_current_whatever_its_label(secret):
    secret.client.create_secret(Name=secret.name)
    expect(secret.put(SECOND, "two", "AWSPENDING"), None)
    expect(secret.stages(), {SECOND: {"AWSCURRENT", "AWSPENDING"}})


@kept
def the_same_value_put_again_for_its_token_changes_nothing(secret):
    secret.create("one")
    for stages in (["AWSPENDING"], ["OURS"], []):
        token = SECOND if stages else THIRD
        expect(secret.put(token, "two", *stages), None)
        before = secret.stages()
        expect(secret.put(token, "two", *stages), None)
        expect(secret.stages(), before)
        expect(secret.read(VersionId=token), "two")


@kept
def another_value_for_the_current_versions_token_is_refused(secret):
    secret.create("one")
    expect(secret.put(FIRST, "two"), EXISTS)
    expect(secret.put(FIRST, "two", "AWSPENDING"), EXISTS)
    expect(secret.read(), "one")
    expect(secret.stages(), {FIRST: {"AWSCURRENT"}})


@kept
def another_value_for_a_replaced_versions_token_is_refused(secret):
    secret.create("one")
    secret.put(SECOND, "two")
    expect(secret.put(FIRST, "three"), EXISTS)
    secret.put(THIRD, "three")
    # Now the first version has no label at all.
    expect(secret.put(FIRST, "four"), EXISTS)
    expect(secret.read(VersionId=FIRST), "one")
    expect(secret.read(), "three")


@kept
def a_put_takes_its_label_from_the_version_that_had_it(secret):
    secret.create("one")
    for label in ("AWSPENDING", "OURS"):
        before, after = f"before-{label}".ljust(32, "-"), f"after-{label}".ljust(32, "-")
        secret.put(before, "two", label)
        expect(secret.put(after, "three", label), None)
        expect(secret.stages()[after], {label})
        assert before not in secret.stages(), f"{label} is on both"


@kept
def a_put_without_a_value_is_refused(secret):
    secret.create("one")
    expect(secret.refusal("put_secret_value", ClientRequestToken=SECOND, VersionStages=["AWSPENDING"]), BAD_REQUEST)
    expect(secret.stages(), {FIRST: {"AWSCURRENT"}})


@kept
def a_token_of_other_than_32_to_64_characters_is_refused(secret):
    secret.create("one")
    for token in ("x" * 31, "x" * 65):
        expect(secret.put(token, "two", "AWSPENDING"), BAD_PARAMETER)
    expect(secret.put("x" * 64, "two", "AWSPENDING"), None)


@kept
def bytes_come_back_as_they_were_put(secret):
    secret.create("one")
    blob = bytes(range(256))
    secret.client.put_secret_value(SecretId=secret.name, ClientRequestToken=SECOND, SecretBinary=blob)
    expect(secret.read(), blob)
    expect("SecretString" in secret.client.get_secret_value(SecretId=secret.name), False)


@kept
def an_updates_value_becomes_current(secret):
    secret.create("one")
    secret.client.update_secret(SecretId=secret.name, ClientRequestToken=SECOND, SecretString="two")
    expect(secret.read(), "two")
    expect(secret.stages(), {FIRST: {"AWSPREVIOUS"}, SECOND: {"AWSCURRENT"}})


@kept
def an_update_with_another_value_for_a_token_in_use_is_refused(secret):
    secret.create("one")
    expect(secret.refusal("update_secret", ClientRequestToken=FIRST, SecretString="two"), EXISTS)
    expect(secret.read(), "one")


# GetSecretValue


@kept
def a_version_is_read_by_its_id_by_its_label_and_by_both(secret):
    secret.create("one")
    secret.put(SECOND, "two", "AWSPENDING")
    expect(secret.read(VersionId=FIRST), "one")
    expect(secret.read(VersionId=SECOND), "two")
    expect(secret.read(VersionStage="AWSPENDING"), "two")
    expect(secret.read(VersionId=SECOND, VersionStage="AWSPENDING"), "two")
    read = secret.client.get_secret_value(SecretId=secret.name, VersionStage="AWSPENDING")
    expect((read["VersionId"], read["VersionStages"]), (SECOND, ["AWSPENDING"]))


@kept
def a_version_with_a_label_it_does_not_have_is_refused(secret):
    secret.create("one")
    secret.put(SECOND, "two", "AWSPENDING")
    expect(secret.unreadable(VersionId=FIRST, VersionStage="AWSPENDING"), BAD_REQUEST)


@kept
def a_missing_version_and_a_missing_label_are_not_found(secret):
    secret.create("one")
    expect(secret.unreadable(VersionId=NOWHERE), NOT_FOUND)
    expect(secret.unreadable(VersionStage="AWSPENDING"), NOT_FOUND)
    expect(secret.unreadable(VersionStage="AWSPREVIOUS"), NOT_FOUND)


@kept
def a_version_that_lost_its_last_label_is_read_by_its_id(secret):
    secret.create("one")
    secret.put(SECOND, "two", "OURS")
    expect(secret.move("OURS", taken_from=SECOND), None)
    expect(secret.stages(), {FIRST: {"AWSCURRENT"}})
    expect(secret.read(VersionId=SECOND), "two")
