"""Rules that moto keeps about tags, lists and deletion."""

from aws_clients import refusal
from rules import BAD_PARAMETER, BAD_REQUEST, EXISTS, NOT_FOUND, kept
from secret import FIRST, SECOND, expect

# TagResource and UntagResource


def tags(**pairs):
    return [{"Key": key, "Value": value} for key, value in pairs.items()]


@kept
def tags_are_set_replaced_and_taken_off(secret):
    secret.create(Tags=tags(team="desk", stage="prod"))
    expect(secret.tags(), {"team": "desk", "stage": "prod"})
    secret.client.tag_resource(SecretId=secret.name, Tags=tags(team="quant", owner="risk"))
    expect(secret.tags(), {"team": "quant", "stage": "prod", "owner": "risk"})
    secret.client.untag_resource(SecretId=secret.name, TagKeys=["team", "stage"])
    expect(secret.tags(), {"owner": "risk"})


@kept
def taking_off_a_tag_that_is_not_there_is_no_error(secret):
    secret.create(Tags=tags(team="desk"))
    expect(secret.refusal("untag_resource", TagKeys=["none"]), None)
    expect(secret.tags(), {"team": "desk"})


@kept
def tags_leave_the_value_alone(secret):
    secret.create("one")
    secret.client.tag_resource(SecretId=secret.name, Tags=tags(team="desk"))
    expect(secret.read(), "one")
    expect(secret.stages(), {FIRST: {"AWSCURRENT"}})


# ListSecrets


def three(secret):
    """Three secrets under this one's name."""
    for ending, team, stage in (("bybit", "desk", "prod"), ("okx", "desk", "dev"), ("kraken", "quant", "prod")):
        value = {"SecretString": ending, "ClientRequestToken": FIRST}
        secret.client.create_secret(Name=f"{secret.name}/{ending}", Tags=tags(team=team, stage=stage), **value)


def found(secret, *filters, **more):
    """What a list with these filters finds of the three."""
    wanted = [{"Key": "name", "Values": [f"{secret.name}/"]}]
    wanted += [{"Key": key, "Values": values} for key, *values in filters]
    listed = secret.client.list_secrets(Filters=wanted, **more)["SecretList"]
    return {entry["Name"].removeprefix(f"{secret.name}/") for entry in listed}


@kept
def names_are_found_by_their_beginning_in_the_same_case(secret):
    three(secret)
    expect(found(secret), {"bybit", "okx", "kraken"})
    expect(found(secret, ("name", f"{secret.name}/by")), {"bybit"})
    expect(found(secret, ("name", f"{secret.name}/BY")), set())
    expect(found(secret, ("name", "bybit")), set())


@kept
def one_of_a_filters_values_is_enough(secret):
    three(secret)
    expect(found(secret, ("name", f"{secret.name}/by", f"{secret.name}/ok")), {"bybit", "okx"})


@kept
def every_filter_has_to_match(secret):
    three(secret)
    expect(found(secret, ("tag-value", "desk"), ("tag-value", "prod")), {"bybit"})
    expect(found(secret, ("tag-value", "desk"), ("name", f"{secret.name}/k")), set())


@kept
def a_filter_with_an_exclamation_mark_finds_the_others(secret):
    three(secret)
    expect(found(secret, ("name", f"!{secret.name}/by")), {"okx", "kraken"})


@kept
def tags_are_found_by_the_beginning_of_key_and_value(secret):
    three(secret)
    expect(found(secret, ("tag-key", "te")), {"bybit", "okx", "kraken"})
    expect(found(secret, ("tag-key", "none")), set())
    expect(found(secret, ("tag-value", "quant")), {"kraken"})


@kept
def a_filter_of_an_unknown_kind_is_refused(secret):
    # Which exception AWS answers with is documented nowhere.
    code = refusal(secret.client.list_secrets, Filters=[{"Key": "colour", "Values": ["red"]}])
    assert code in ("ValidationException", BAD_PARAMETER), code


@kept
def pages_show_every_secret_once(secret):
    three(secret)
    filters = [{"Key": "name", "Values": [f"{secret.name}/"]}]
    pages = secret.client.get_paginator("list_secrets").paginate(Filters=filters, PaginationConfig={"PageSize": 2})
    sizes, names = [], []
    for page in pages:
        sizes.append(len(page["SecretList"]))
        names += [entry["Name"].removeprefix(f"{secret.name}/") for entry in page["SecretList"]]
    expect(sizes, [2, 1])
    expect(sorted(names), ["bybit", "kraken", "okx"])


@kept
def a_list_shows_tags_and_labels_and_no_value(secret):
    secret.create("one", Tags=tags(team="desk"))
    secret.put(SECOND, "two", "AWSPENDING")
    (entry,) = secret.client.list_secrets(Filters=[{"Key": "name", "Values": [secret.name]}])["SecretList"]
    expect(entry["SecretVersionsToStages"], {FIRST: ["AWSCURRENT"], SECOND: ["AWSPENDING"]})
    expect(entry["Tags"], tags(team="desk"))
    assert "SecretString" not in entry


# DeleteSecret and RestoreSecret


@kept
def a_deleted_secret_cannot_be_read_until_it_is_restored(secret):
    secret.create("one")
    expect(secret.delete(RecoveryWindowInDays=7), None)
    expect(secret.unreadable(), BAD_REQUEST)
    expect(secret.refusal("update_secret", ClientRequestToken=SECOND, SecretString="two"), BAD_REQUEST)
    expect(secret.rotate(SECOND), BAD_REQUEST)
    expect(secret.delete(), BAD_REQUEST)
    assert "DeletedDate" in secret.described()
    expect(secret.refusal("restore_secret"), None)
    expect(secret.read(), "one")
    assert "DeletedDate" not in secret.described()


@kept
def a_deleted_secret_is_listed_only_on_demand(secret):
    three(secret)
    secret.client.delete_secret(SecretId=f"{secret.name}/okx")
    expect(found(secret), {"bybit", "kraken"})
    expect(found(secret, IncludePlannedDeletion=True), {"bybit", "okx", "kraken"})


@kept
def a_deleted_secrets_name_is_still_in_use(secret):
    secret.create("one")
    secret.delete()
    create = {"Name": secret.name, "SecretString": "two", "ClientRequestToken": SECOND}
    assert refusal(secret.client.create_secret, **create) in (BAD_REQUEST, EXISTS)


@kept
def a_recovery_window_is_7_to_30_days(secret):
    secret.create("one")
    for days in (6, 31):
        expect(secret.delete(RecoveryWindowInDays=days), BAD_PARAMETER)
    expect(secret.delete(RecoveryWindowInDays=7, ForceDeleteWithoutRecovery=True), BAD_PARAMETER)
    expect(secret.read(), "one")


@kept
def a_forced_deletion_is_at_once_and_misses_nothing(secret):
    secret.create("one")
    expect(secret.delete(ForceDeleteWithoutRecovery=True), None)
    expect(secret.unreadable(), NOT_FOUND)
    expect(secret.delete(ForceDeleteWithoutRecovery=True), None)
