"""Rules that moto is known to break, each with what is documented and what moto does instead.

A rule that moto has come to keep belongs among those that both keep, and one that it breaks in a new way wants another look.
"""

from aws_clients import refusal
from rules import BAD_PARAMETER, BAD_REQUEST, EXISTS, NOT_FOUND, broken
from secret import FIRST, NOWHERE, SECOND, THIRD, version

# PutSecretValue and UpdateSecret


@broken(documented=(EXISTS, "two"), in_moto=(None, "three"))
def another_value_for_the_pending_versions_token_is_refused(secret):
    secret.create("one")
    secret.put(SECOND, "two", "AWSPENDING")
    return secret.put(SECOND, "three", "AWSPENDING"), secret.read(VersionId=SECOND)


@broken(documented={"AWSPENDING", "OURS"}, in_moto={"AWSPENDING"})
def the_same_value_put_again_takes_no_other_label_off(secret):
    secret.create("one")
    secret.put(SECOND, "two", "AWSPENDING")
    secret.move("OURS", to=SECOND)
    secret.put(SECOND, "two", "AWSPENDING")
    return secret.stages()[SECOND]


@broken(documented={"AWSPREVIOUS", "OURS"}, in_moto={"AWSPREVIOUS"})
def a_version_replaced_by_a_put_keeps_its_own_labels(secret):
    secret.create("one")
    secret.move("OURS", to=FIRST)
    secret.put(SECOND, "two")
    return secret.stages()[FIRST]


@broken(documented=[THIRD], in_moto=[SECOND, THIRD])
def a_put_that_becomes_current_takes_its_other_labels_from_who_had_them(secret):
    secret.create("one")
    secret.put(SECOND, "two", "OURS")
    secret.put(THIRD, "three", "AWSCURRENT", "OURS")
    return sorted(version_id for version_id, stages in secret.stages().items() if "OURS" in stages)


@broken(documented=BAD_PARAMETER, in_moto=None)
def a_value_of_both_text_and_bytes_is_refused(secret):
    secret.create("one")
    return secret.refusal("put_secret_value", ClientRequestToken=SECOND, SecretString="two", SecretBinary=b"two")


@broken(documented=(None, BAD_PARAMETER), in_moto=(None, None))
def a_value_of_more_than_65536_bytes_is_refused(secret):
    secret.create("one")
    return secret.put(SECOND, "x" * 65_536), secret.put(THIRD, "x" * 65_537)


@broken(documented=EXISTS, in_moto=None)
def an_update_with_a_token_in_use_is_refused_even_with_the_same_value(secret):
    secret.create("one")
    return secret.refusal("update_secret", ClientRequestToken=FIRST, SecretString="one")


@broken(documented=BAD_REQUEST, in_moto=None)
def a_deleted_secret_takes_no_value(secret):
    secret.create("one")
    secret.delete()
    return secret.put(SECOND, "two", "AWSPENDING")


@broken(documented=True, in_moto=False)
def a_name_with_a_space_is_refused(secret):
    create = {"Name": f"{secret.name} x", "SecretString": "one", "ClientRequestToken": FIRST}
    return refusal(secret.client.create_secret, **create) is not None


# UpdateSecretVersionStage


@broken(documented=(BAD_PARAMETER, [FIRST]), in_moto=(None, [FIRST, SECOND]))
def moving_any_label_without_naming_who_has_it_is_refused(secret):
    secret.create("one")
    secret.put(SECOND, "two", "AWSPENDING")
    secret.move("OURS", to=FIRST)
    code = secret.move("OURS", to=SECOND)
    return code, sorted(version_id for version_id, stages in secret.stages().items() if "OURS" in stages)


@broken(documented=(BAD_PARAMETER, {"AWSCURRENT"}), in_moto=(None, {"AWSPREVIOUS"}))
def current_cannot_be_taken_off_altogether(secret):
    secret.create("one")
    return secret.move("AWSCURRENT", taken_from=FIRST), secret.stages()[FIRST]


@broken(documented={FIRST: {"AWSCURRENT"}}, in_moto={})
def a_refused_move_changes_nothing(secret):
    secret.create("one")
    assert secret.move("AWSCURRENT", to=NOWHERE, taken_from=FIRST) is not None
    return secret.stages()


@broken(documented="LimitExceededException", in_moto=None)
def the_21st_label_of_a_secret_is_refused(secret):
    secret.create("one")
    for number in range(19):
        assert secret.move(f"OURS-{number}", to=FIRST) is None
    return secret.move("ONE-MORE", to=FIRST)


# DescribeSecret and ListSecretVersionIds


def with_an_unlabelled_version(secret):
    """FIRST is current, SECOND has no label any more."""
    secret.create("one")
    secret.put(SECOND, "two", "OURS")
    secret.move("OURS", taken_from=SECOND)


def listed_versions(secret, **more):
    reply = secret.client.list_secret_version_ids(SecretId=secret.name, **more)
    return sorted(entry["VersionId"] for entry in reply["Versions"])


@broken(documented=[FIRST], in_moto=[FIRST, SECOND])
def only_versions_with_labels_are_described(secret):
    with_an_unlabelled_version(secret)
    return sorted(secret.described()["VersionIdsToStages"])


@broken(documented=([FIRST], [FIRST, SECOND]), in_moto=([FIRST, SECOND], [FIRST, SECOND]))
def versions_without_labels_are_listed_only_on_demand(secret):
    with_an_unlabelled_version(secret)
    return listed_versions(secret), listed_versions(secret, IncludeDeprecated=True)


@broken(documented=[1, 1, 1], in_moto=[3])
def versions_are_listed_in_pages(secret):
    secret.create("one")
    secret.put(SECOND, "two")
    secret.put(THIRD, "three", "AWSPENDING")
    sizes, token = [], {}
    while not sizes or token:
        page = secret.client.list_secret_version_ids(SecretId=secret.name, MaxResults=1, **token)
        sizes.append(len(page["Versions"]))
        token = {"NextToken": page["NextToken"]} if page.get("NextToken") else {}
    return sizes


@broken(documented=True, in_moto=False)
def a_list_of_versions_names_the_secrets_arn(secret):
    arn = secret.create()
    return secret.client.list_secret_version_ids(SecretId=secret.name)["ARN"] == arn


@broken(documented=["b", "a"], in_moto=["a", "b"])
def secrets_are_listed_in_the_order_asked_for(secret):
    for ending in ("a", "b"):
        secret.client.create_secret(Name=f"{secret.name}/{ending}", SecretString="one")
    filters = [{"Key": "name", "Values": [f"{secret.name}/"]}]
    listed = secret.client.list_secrets(Filters=filters, SortBy="name", SortOrder="desc")["SecretList"]
    return [entry["Name"][-1] for entry in listed]


# RotateSecret


@broken(documented=(BAD_REQUEST, [SECOND]), in_moto=(None, [THIRD]))
def a_rotation_over_an_open_one_is_refused(secret):
    secret.create("one")
    secret.rotate(SECOND)
    code = secret.rotate(THIRD)
    return code, [version_id for version_id, stages in secret.stages().items() if "AWSPENDING" in stages]


@broken(documented=("one", "one"), in_moto=(NOT_FOUND, "two"))
def a_read_without_a_label_is_of_the_current_value_during_a_rotation_too(secret):
    secret.create("one")
    secret.rotate(SECOND)
    before = secret.unreadable() or secret.read()
    secret.put(SECOND, "two", "AWSPENDING")
    return before, secret.read()


@broken(documented=(BAD_REQUEST, "one"), in_moto=(None, NOT_FOUND))
def a_rotation_without_a_function_is_refused(secret):
    secret.create("one")
    code = secret.refusal("rotate_secret", ClientRequestToken=SECOND)
    return code, secret.unreadable(VersionStage="AWSCURRENT") or secret.read(VersionStage="AWSCURRENT")


@broken(documented=False, in_moto=True)
def a_rotation_that_has_only_begun_sets_no_last_rotated_date(secret):
    secret.create("one")
    secret.rotate(SECOND)
    return "LastRotatedDate" in secret.described()


@broken(
    documented={FIRST: {"AWSPREVIOUS"}, THIRD: {"AWSCURRENT"}},
    in_moto={FIRST: {"AWSCURRENT"}, SECOND: {"AWSPREVIOUS"}, THIRD: {"AWSCURRENT"}},
)
def a_value_put_by_hand_as_current_ends_an_open_rotation(secret):
    secret.create("one")
    secret.rotate(SECOND)
    secret.put(THIRD, "three")
    return secret.stages()


@broken(documented={"ScheduleExpression": "rate(10 days)", "Duration": "3h"}, in_moto={"AutomaticallyAfterDays": 0})
def a_rotation_schedule_is_described_as_it_was_given(secret):
    secret.create("one")
    secret.rotate(SECOND, RotationRules={"ScheduleExpression": "rate(10 days)", "Duration": "3h"})
    return secret.described()["RotationRules"]


@broken(documented=[BAD_PARAMETER] * 3, in_moto=[None] * 3)
def a_schedule_that_makes_no_sense_is_refused(secret):
    secret.create("one")
    wrong = (
        {"ScheduleExpression": "rate(3 hours)"},
        {"ScheduleExpression": "rate(10 days)", "AutomaticallyAfterDays": 10},
        {"AutomaticallyAfterDays": 10, "Duration": "25h"},
    )
    return [secret.rotate(version(f"t{number}"), RotationRules=rules) for number, rules in enumerate(wrong)]
