"""Rules that moto keeps about UpdateSecretVersionStage, RotateSecret and CancelRotateSecret."""

from rules import BAD_PARAMETER, BAD_REQUEST, NOT_FOUND, kept
from secret import FIRST, NOWHERE, SECOND, THIRD, expect

# UpdateSecretVersionStage: a compare-and-swap on AWSCURRENT


@kept
def moving_current_without_naming_who_has_it_is_refused(secret):
    secret.create("one")
    secret.put(SECOND, "two", "AWSPENDING")
    expect(secret.move("AWSCURRENT", to=SECOND), BAD_PARAMETER)
    expect(secret.stages(), {FIRST: {"AWSCURRENT"}, SECOND: {"AWSPENDING"}})
    expect(secret.read(VersionStage="AWSCURRENT"), "one")


@kept
def moving_current_away_from_a_version_that_does_not_have_it_is_refused(secret):
    secret.create("one")
    secret.put(SECOND, "two")
    secret.put(THIRD, "three", "AWSPENDING")
    before = secret.stages()
    for wrong in (FIRST, THIRD, NOWHERE):
        expect(secret.move("AWSCURRENT", to=THIRD, taken_from=wrong), BAD_PARAMETER)
        expect(secret.stages(), before)


@kept
def a_swap_can_be_won_only_once(secret):
    secret.create("one")
    secret.put(SECOND, "two", "OURS")
    secret.put(THIRD, "three", "AWSPENDING")
    expect(secret.move("AWSCURRENT", to=THIRD, taken_from=FIRST), None)
    expect(secret.move("AWSCURRENT", to=SECOND, taken_from=FIRST), BAD_PARAMETER)
    expect(secret.read(VersionStage="AWSCURRENT"), "three")


@kept
def previous_moves_by_itself_to_the_version_that_lost_current(secret):
    secret.create("one")
    secret.put(SECOND, "two", "AWSPENDING")
    secret.move("AWSCURRENT", to=SECOND, taken_from=FIRST)
    expect(secret.stages(), {FIRST: {"AWSPREVIOUS"}, SECOND: {"AWSCURRENT", "AWSPENDING"}})
    secret.put(THIRD, "three", "AWSPENDING")
    secret.move("AWSCURRENT", to=THIRD, taken_from=SECOND)
    expect(secret.stages(), {SECOND: {"AWSPREVIOUS"}, THIRD: {"AWSCURRENT", "AWSPENDING"}})


@kept
def current_moves_back_as_it_came(secret):
    secret.create("one")
    secret.put(SECOND, "two")
    expect(secret.move("AWSCURRENT", to=FIRST, taken_from=SECOND), None)
    expect(secret.stages(), {FIRST: {"AWSCURRENT"}, SECOND: {"AWSPREVIOUS"}})
    expect(secret.read(VersionStage="AWSCURRENT"), "one")


@kept
def labels_of_ones_own_are_put_moved_and_taken_off(secret):
    secret.create("one")
    secret.put(SECOND, "two", "AWSPENDING")
    expect(secret.move("OURS", to=FIRST), None)
    expect(secret.stages(), {FIRST: {"AWSCURRENT", "OURS"}, SECOND: {"AWSPENDING"}})
    expect(secret.read(VersionStage="OURS"), "one")
    expect(secret.move("OURS", to=SECOND, taken_from=FIRST), None)
    expect(secret.stages(), {FIRST: {"AWSCURRENT"}, SECOND: {"AWSPENDING", "OURS"}})
    expect(secret.move("OURS", taken_from=SECOND), None)
    expect(secret.stages(), {FIRST: {"AWSCURRENT"}, SECOND: {"AWSPENDING"}})


@kept
def a_label_is_not_taken_from_a_version_that_does_not_have_it(secret):
    secret.create("one")
    secret.put(SECOND, "two", "OURS")
    expect(secret.move("OURS", taken_from=FIRST), BAD_PARAMETER)
    expect(secret.move("OURS", to=FIRST, taken_from=FIRST), BAD_PARAMETER)
    expect(secret.stages(), {FIRST: {"AWSCURRENT"}, SECOND: {"OURS"}})


@kept
def a_label_does_not_go_to_a_version_that_is_not_there(secret):
    secret.create("one")
    # Which exception AWS answers with is documented nowhere.
    assert secret.move("OURS", to=NOWHERE) in (BAD_PARAMETER, NOT_FOUND)
    expect(secret.stages(), {FIRST: {"AWSCURRENT"}})


# RotateSecret and CancelRotateSecret


@kept
def a_rotation_begins_with_an_empty_pending_version(secret):
    secret.create("one")
    expect(secret.rotate(SECOND), None)
    expect(secret.stages(), {FIRST: {"AWSCURRENT"}, SECOND: {"AWSPENDING"}})
    expect(secret.unreadable(VersionId=SECOND), NOT_FOUND)
    expect(secret.unreadable(VersionStage="AWSPENDING"), NOT_FOUND)
    expect(secret.unreadable(VersionId=SECOND, VersionStage="AWSPENDING"), NOT_FOUND)
    expect(secret.read(VersionStage="AWSCURRENT"), "one")


@kept
def the_pending_version_of_a_rotation_takes_a_value(secret):
    secret.create("one")
    secret.rotate(SECOND)
    expect(secret.put(SECOND, "two", "AWSPENDING"), None)
    expect(secret.read(VersionId=SECOND), "two")
    expect(secret.read(VersionStage="AWSCURRENT"), "one")
    expect(secret.stages(), {FIRST: {"AWSCURRENT"}, SECOND: {"AWSPENDING"}})


@kept
def a_rotations_settings_are_described(secret):
    secret.create("one")
    assert "RotationEnabled" not in secret.described()
    secret.rotate(SECOND)
    described = secret.described()
    expect(described["RotationEnabled"], True)
    expect(described["RotationLambdaARN"], secret.function_arn)
    expect(described["RotationRules"], {"AutomaticallyAfterDays": 90})
    assert "NextRotationDate" in described


@kept
def an_interval_of_other_than_1_to_1000_days_is_refused(secret):
    secret.create("one")
    for days in (0, 1001):
        expect(secret.rotate(SECOND, RotationRules={"AutomaticallyAfterDays": days}), BAD_PARAMETER)
    expect(secret.stages(), {FIRST: {"AWSCURRENT"}})


@kept
def a_function_arn_that_is_too_long_is_refused(secret):
    secret.create("one")
    expect(secret.rotate(SECOND, RotationLambdaARN=f"{secret.function_arn}{'x' * 2048}"), BAD_PARAMETER)


@kept
def cancelling_a_rotation_turns_it_off_and_leaves_its_label(secret):
    secret.create("one")
    secret.rotate(SECOND)
    expect(secret.refusal("cancel_rotate_secret"), None)
    expect(secret.described()["RotationEnabled"], False)
    expect(secret.stages(), {FIRST: {"AWSCURRENT"}, SECOND: {"AWSPENDING"}})


@kept
def cancelling_a_rotation_that_was_never_set_up_is_refused(secret):
    secret.create("one")
    expect(secret.refusal("cancel_rotate_secret"), BAD_REQUEST)
