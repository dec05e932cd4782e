"""Faults that somebody could put into template.yaml, one at a time, each with the name of what has to catch it.

They are applied to the SAM file in memory, so a fault goes through the same expansion as the real thing.
"""

import json
from typing import Callable, NamedTuple

LINTER = "cfn-lint"
FAULTS = []


class Fault(NamedTuple):
    name: str
    caught_by: str
    apply: Callable


def fault(caught_by):
    def register(apply):
        FAULTS.append(Fault(apply.__name__.replace("_", " "), caught_by, apply))
        return apply

    return register


def properties(document, name):
    return document["Resources"][name]["Properties"]


def function(document):
    return properties(document, "Function")


def operations(document):
    return properties(document, "OperationsFunction")


def emergency(document):
    return properties(document, "EmergencyFunction")


def arn_of(suffix):
    """A function's ARN, spelt out."""
    name = "${FunctionName}" + suffix
    return {"Fn::Sub": "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:" + name}


def common(document):
    """What all three functions have."""
    return document["Globals"]["Function"]


def schedule(document):
    return properties(document, "ScheduledRotation")


def statements(document, policy_name, role="ExecutionRole"):
    """The statements of a managed policy, or of one in the role, whether they are there under a condition or always."""
    if policy_name in document["Resources"]:
        found = properties(document, policy_name)["PolicyDocument"]["Statement"]
        return [statement["Fn::If"][1] if "Fn::If" in statement else statement for statement in found]
    for policy in properties(document, role)["Policies"]:
        policy = policy["Fn::If"][1] if "Fn::If" in policy else policy
        if policy["PolicyName"] == policy_name:
            return policy["PolicyDocument"]["Statement"]
    raise KeyError(policy_name)


def unattached(document):
    """What orders may do with a secret that is not attached: describe it, and read its current version."""
    return statements(document, "unattached", "EmergencyRole")


def grant(document, role="ExecutionRole", **statement):
    """One more statement where nobody looks."""
    statements(document, "log", role).append({"Effect": "Allow", **statement})


# --- the functions ----------------------------------------------------------------------------------------------------------

RUNS = "every_function_runs_the_arm64_binary_on_provided_al2023_built_once"


@fault(RUNS)
def built_for_x86(document):
    common(document)["Architectures"] = ["x86_64"]


@fault(RUNS)
def no_architecture_at_all(document):
    del common(document)["Architectures"]


@fault(RUNS)
def an_older_runtime(document):
    operations(document)["Runtime"] = "provided.al2"


@fault(RUNS)
def whichever_binary_is_built_first(document):
    del document["Resources"]["Function"]["Metadata"]["BuildProperties"]


@fault(RUNS)
def a_second_build_for_the_second_function(document):
    document["Resources"]["OperationsFunction"]["Metadata"]["checkov"]["skip"].pop()


@fault(RUNS)
def a_third_build_for_the_third_function(document):
    document["Resources"]["EmergencyFunction"]["Metadata"]["checkov"]["skip"][0]["comment"] = "None."


@fault(RUNS)
def no_emergency_function(document):
    emergency(document)["FunctionName"] = {"Fn::Sub": "${FunctionName}-orders"}


@fault("a_functions_name_leaves_room_for_the_other_ones")
def a_name_that_lambda_refuses_with_operations_at_its_end(document):
    document["Parameters"]["FunctionName"]["AllowedPattern"] = "^[A-Za-z0-9_-]{1,64}$"


@fault("a_step_has_time_to_poll_and_ends_within_the_longest_life_of_a_run")
def a_timeout_shorter_than_the_polling(document):
    function(document)["Timeout"] = 60


@fault("a_step_has_time_to_poll_and_ends_within_the_longest_life_of_a_run")
def lambdas_default_timeout(document):
    del function(document)["Timeout"]


@fault("a_step_has_time_to_poll_and_ends_within_the_longest_life_of_a_run")
def the_longest_timeout(document):
    function(document)["Timeout"] = 900


TIME = "a_pass_and_an_order_have_all_the_time_there_is"


@fault(TIME)
def a_pass_cut_short(document):
    operations(document)["Timeout"] = 300


@fault(TIME)
def an_order_cut_short_before_the_proof_of_death(document):
    emergency(document)["Timeout"] = 300


@fault(TIME)
def an_order_without_the_memory_of_a_pass(document):
    emergency(document)["MemorySize"] = 128


REPEATED = "a_failed_pass_and_a_failed_order_are_not_repeated_by_lambda"


@fault(REPEATED)
def a_failed_pass_repeated_twice(document):
    del operations(document)["EventInvokeConfig"]["MaximumRetryAttempts"]


@fault(REPEATED)
def a_pass_that_is_begun_hours_late(document):
    del operations(document)["EventInvokeConfig"]["MaximumEventAgeInSeconds"]


@fault(REPEATED)
def an_order_that_lambda_gives_again(document):
    emergency(document)["EventInvokeConfig"]["MaximumRetryAttempts"] = 2


@fault(REPEATED)
def an_order_left_to_lambdas_defaults(document):
    del emergency(document)["EventInvokeConfig"]


@fault(REPEATED)
def an_order_that_is_carried_out_hours_late(document):
    emergency(document)["EventInvokeConfig"]["MaximumEventAgeInSeconds"] = 21600


KNOWS = "each_function_knows_by_its_environment_which_of_the_three_it_is_and_who_does_the_rest"


@fault(KNOWS)
def operations_that_are_not_told_who_rotates(document):
    del operations(document)["Environment"]["Variables"]["ROTATION_FUNCTION_ARN"]


@fault(KNOWS)
def operations_that_take_themselves_for_the_rotation_function(document):
    operations(document)["Environment"]["Variables"]["ROTATION_FUNCTION_ARN"] = arn_of("-operations")


@fault(KNOWS)
def a_rotation_function_that_refuses_the_steps(document):
    common(document)["Environment"]["Variables"]["ROTATION_FUNCTION_ARN"] = arn_of("")


@fault(KNOWS)
def a_second_operations_function_in_the_emergency_functions_place(document):
    del emergency(document)["Environment"]["Variables"]["OPERATIONS_FUNCTION_ARN"]


@fault(KNOWS)
def a_second_emergency_function_in_the_operations_functions_place(document):
    operations(document)["Environment"]["Variables"]["OPERATIONS_FUNCTION_ARN"] = arn_of("-operations")


@fault(KNOWS)
def operations_that_do_not_know_where_orders_go(document):
    del operations(document)["Environment"]["Variables"]["EMERGENCY_FUNCTION_ARN"]


@fault(KNOWS)
def orders_sent_to_a_function_that_there_is_not(document):
    operations(document)["Environment"]["Variables"]["EMERGENCY_FUNCTION_ARN"] = arn_of("-emergencies")


@fault(KNOWS)
def an_emergency_function_that_is_not_told_who_rotates(document):
    del emergency(document)["Environment"]["Variables"]["ROTATION_FUNCTION_ARN"]


GRACE = "replaced_keys_live_as_long_as_said_and_between_an_hour_and_90_days"


@fault(GRACE)
def a_grace_that_is_asked_for_and_not_used(document):
    operations(document)["Environment"]["Variables"]["GRACE_HOURS"] = 24


@fault(GRACE)
def an_order_that_knows_no_grace(document):
    del emergency(document)["Environment"]["Variables"]["GRACE_HOURS"]


@fault(GRACE)
def an_order_that_knows_no_grace_of_keys_made_by_hand(document):
    del emergency(document)["Environment"]["Variables"]["ADOPTION_GRACE_HOURS"]


@fault(GRACE)
def the_two_graces_in_each_others_place(document):
    variables = operations(document)["Environment"]["Variables"]
    variables["GRACE_HOURS"], variables["ADOPTION_GRACE_HOURS"] = variables["ADOPTION_GRACE_HOURS"], variables["GRACE_HOURS"]


@fault(GRACE)
def a_grace_of_no_time(document):
    document["Parameters"]["AdoptionGraceHours"]["MinValue"] = 0


@fault(GRACE)
def a_grace_that_the_function_refuses(document):
    del document["Parameters"]["GraceHours"]["MaxValue"]


@fault(GRACE)
def another_grace_than_the_readme_says(document):
    document["Parameters"]["GraceHours"]["Default"] = 48


EGRESS = "keys_are_bound_to_the_egress_addresses"


@fault(EGRESS)
def egress_addresses_forgotten(document):
    del common(document)["Environment"]["Variables"]["EGRESS_IPS"]


@fault(EGRESS)
def egress_addresses_wired_to_the_subnets(document):
    common(document)["Environment"]["Variables"]["EGRESS_IPS"]["Fn::If"][1] = {"Fn::Join": [",", {"Ref": "SubnetIds"}]}


@fault(EGRESS)
def egress_addresses_of_one_function_only(document):
    operations(document)["Environment"]["Variables"]["EGRESS_IPS"] = ""


@fault("egress_addresses_are_public_single_and_never_guessed")
def a_guessed_egress_address(document):
    document["Parameters"]["EgressIps"]["Default"] = "52.1.2.3"


@fault("egress_addresses_are_public_single_and_never_guessed")
def any_text_as_an_egress_address(document):
    del document["Parameters"]["EgressIps"]["AllowedPattern"]


@fault("requests_go_to_the_fixed_list_of_hosts")
def a_base_url_left_over_from_a_test(document):
    common(document)["Environment"]["Variables"]["BYBIT_BASE_URL"] = "https://api-testnet.bybit.com"


@fault("requests_go_to_the_fixed_list_of_hosts")
def a_base_url_for_operations_only(document):
    operations(document)["Environment"]["Variables"]["BYBIT_BASE_URL"] = "https://api-testnet.bybit.com"


@fault("the_log_level_is_wired_and_one_the_function_knows")
def a_fixed_log_level(document):
    common(document)["Environment"]["Variables"]["LOG_LEVEL"] = "info"


@fault("the_log_level_is_wired_and_one_the_function_knows")
def a_level_that_logs_whole_requests(document):
    document["Parameters"]["LogLevel"]["AllowedValues"].append("trace")


LOGS = "logs_are_json_in_a_group_of_their_own_that_is_kept_over_a_rotation_and_no_longer_than_said"


@fault(LOGS)
def a_log_kept_for_ever(document):
    del properties(document, "LogGroup")["RetentionInDays"]


@fault(LOGS)
def a_log_gone_before_the_next_rotation(document):
    properties(document, "LogGroup")["RetentionInDays"] = 7


@fault(LOGS)
def a_log_that_goes_with_the_stack(document):
    del document["Resources"]["LogGroup"]["DeletionPolicy"]


@fault(LOGS)
def plain_text_logs(document):
    common(document)["LoggingConfig"] = {"LogFormat": "Text"}


@fault(LOGS)
def a_log_group_left_to_lambda(document):
    del function(document)["LoggingConfig"]["LogGroup"]


@fault(LOGS)
def both_functions_in_one_log(document):
    operations(document)["LoggingConfig"]["LogGroup"] = {"Ref": "LogGroup"}


@fault(LOGS)
def orders_in_the_log_of_passes(document):
    emergency(document)["LoggingConfig"]["LogGroup"] = {"Ref": "OperationsLogGroup"}


@fault(LOGS)
def what_was_ordered_kept_for_a_week(document):
    properties(document, "EmergencyLogGroup")["RetentionInDays"] = 7


@fault(LOGS)
def what_was_ordered_forgotten_with_the_stack(document):
    del document["Resources"]["EmergencyLogGroup"]["DeletionPolicy"]


@fault(LOGS)
def what_was_ordered_forgotten_with_the_functions_name(document):
    del document["Resources"]["EmergencyLogGroup"]["UpdateReplacePolicy"]


@fault(LOGS)
def a_log_of_orders_that_nobody_finds(document):
    del document["Outputs"]["EmergencyLogGroupName"]


@fault(LOGS)
def what_was_revoked_forgotten_with_the_stack(document):
    document["Resources"]["OperationsLogGroup"]["DeletionPolicy"] = "Delete"


@fault("lambda_filters_no_record_the_function_wrote")
def lambda_filters_at_its_default_level(document):
    del common(document)["LoggingConfig"]["ApplicationLogLevel"]


THROTTLES = "nothing_throttles_or_swallows_a_step_or_an_order"


@fault(THROTTLES)
def concurrency_of_one_as_a_lock(document):
    function(document)["ReservedConcurrentExecutions"] = 1


@fault(THROTTLES)
def orders_that_throttle_each_other(document):
    emergency(document)["ReservedConcurrentExecutions"] = operations(document)["ReservedConcurrentExecutions"]


@fault(THROTTLES)
def a_dead_letter_queue_as_an_alarm(document):
    function(document)["DeadLetterQueue"] = {"Type": "SNS", "TargetArn": {"Ref": "AlarmTopicArn"}}


@fault(THROTTLES)
def a_dead_letter_queue_for_orders(document):
    emergency(document)["DeadLetterQueue"] = {"Type": "SNS", "TargetArn": {"Ref": "AlarmTopicArn"}}


RESERVED = "concurrency_is_reserved_for_operations_if_somebody_asks_for_it"


@fault(RESERVED)
def a_reservation_that_nobody_asked_for(document):
    document["Parameters"]["OperationsConcurrency"]["Default"] = "10"


@fault(RESERVED)
def a_reservation_whether_given_or_not(document):
    operations(document)["ReservedConcurrentExecutions"] = 3


@fault(RESERVED)
def a_reservation_that_is_asked_for_and_not_made(document):
    del operations(document)["ReservedConcurrentExecutions"]


@fault(RESERVED)
def a_reservation_of_nothing_that_switches_operations_off(document):
    document["Parameters"]["OperationsConcurrency"]["AllowedPattern"] = "^$|^[0-9]{1,4}$"


@fault(RESERVED)
def a_reservation_that_nobody_knows_how_to_choose(document):
    document["Parameters"]["OperationsConcurrency"]["Description"] = "Reserved concurrency of the operations function."


@fault("the_vpc_is_joined_exactly_when_it_is_given")
def subnets_that_nobody_uses(document):
    del common(document)["VpcConfig"]


@fault("the_vpc_is_joined_exactly_when_it_is_given")
def a_vpc_whether_given_or_not(document):
    common(document)["VpcConfig"] = common(document)["VpcConfig"]["Fn::If"][1]


# --- who may call it --------------------------------------------------------------------------------------------------------

INVOKE = "only_secrets_manager_of_this_account_may_invoke_the_rotation_function_and_for_any_secret"


@fault(INVOKE)
def invocable_from_other_accounts(document):
    del properties(document, "InvokePermission")["SourceAccount"]


@fault(INVOKE)
def pinned_to_a_single_secret(document):
    properties(document, "InvokePermission")["SourceArn"] = {"Ref": "ScheduledSecretArn"}


@fault(INVOKE)
def invocable_by_anybody(document):
    properties(document, "InvokePermission")["Principal"] = "*"


@fault(INVOKE)
def no_permission_at_all(document):
    del document["Resources"]["InvokePermission"]
    del document["Resources"]["ScheduledRotation"]["DependsOn"]


@fault(INVOKE)
def a_second_wider_permission(document):
    other = {**document["Resources"]["InvokePermission"]["Properties"], "Principal": "events.amazonaws.com"}
    document["Resources"]["Another"] = {"Type": "AWS::Lambda::Permission", "Properties": other}


CALLED = "no_service_may_invoke_the_operations_function_or_the_emergency_function_without_a_role"


def permit(document, function, **given):
    permission = {"Action": "lambda:InvokeFunction", "FunctionName": {"Fn::GetAtt": [function, "Arn"]}, **given}
    document["Resources"]["Another"] = {"Type": "AWS::Lambda::Permission", "Properties": permission}


@fault(CALLED)
def a_rule_that_still_calls_for_each_label(document):
    arn = {"Fn::GetAtt": ["MovedLabelRule", "Arn"]}
    permit(document, "OperationsFunction", Principal="events.amazonaws.com", SourceArn=arn)


@fault(CALLED)
def operations_invocable_by_secrets_manager(document):
    other = {**properties(document, "InvokePermission"), "FunctionName": {"Ref": "OperationsFunction"}}
    document["Resources"]["Another"] = {"Type": "AWS::Lambda::Permission", "Properties": other}


@fault(CALLED)
def orders_that_rules_may_give(document):
    permit(document, "EmergencyFunction", Principal="events.amazonaws.com", SourceAccount={"Ref": "AWS::AccountId"})


PEOPLE = "people_on_call_alone_may_invoke_the_emergency_function_and_no_event_does"


@fault(PEOPLE)
def an_order_on_a_schedule(document):
    properties(document, "AuditDaily")["Target"]["Arn"] = {"Fn::GetAtt": ["EmergencyFunction", "Arn"]}


@fault(PEOPLE)
def an_order_by_a_rule(document):
    target = {"Id": "emergency", "Arn": {"Fn::GetAtt": ["EmergencyFunction", "Arn"]}}
    properties(document, "MovedLabelRule")["Targets"].append(target)


@fault(PEOPLE)
def an_order_for_every_moved_label(document):
    properties(document, "MovedLabelMapping")["FunctionName"] = {"Ref": "EmergencyFunction"}


@fault(PEOPLE)
def schedules_that_may_give_orders(document):
    statement = statements(document, "invoke", "SchedulerRole")[0]
    statement["Resource"] = [statement["Resource"], {"Fn::GetAtt": ["EmergencyFunction", "Arn"]}]


@fault(PEOPLE)
def operations_that_may_give_orders(document):
    statements(document, "OperationsPolicy")[2]["Resource"] = arn_of("*")


ON_CALL = "people_on_call_may_invoke_the_operations_function_and_the_emergency_function_and_nothing_else"


@fault(ON_CALL)
def people_who_call_the_steps(document):
    statements(document, "OnCallPolicy")[0]["Resource"].append({"Fn::GetAtt": ["Function", "Arn"]})


@fault(ON_CALL)
def people_who_cannot_break_the_glass(document):
    del statements(document, "OnCallPolicy")[0]["Resource"][1]


@fault(ON_CALL)
def people_who_cannot_ask_for_an_audit(document):
    del statements(document, "OnCallPolicy")[0]["Resource"][0]


@fault(ON_CALL)
def people_who_read_secrets(document):
    statements(document, "OnCallPolicy")[0]["Action"] = ["lambda:InvokeFunction", "secretsmanager:GetSecretValue"]


@fault(ON_CALL)
def a_policy_that_nobody_finds(document):
    del document["Outputs"]["OnCallPolicyArn"]


@fault(ON_CALL)
def a_function_that_may_call_operations(document):
    properties(document, "ExecutionRole")["ManagedPolicyArns"].append({"Ref": "OnCallPolicy"})


COMMAND = "the_command_that_runs_an_operation_changes_nothing_and_waits_for_the_answer"
BREAKS_GLASS = "the_command_that_breaks_the_glass_does_it_for_no_secret_until_somebody_names_one"


def command(name, old, new, output="OperationCommand", caught_by=COMMAND):
    def apply(document):
        value = document["Outputs"][output]["Value"]
        value["Fn::Sub"] = value["Fn::Sub"].replace(old, new)

    FAULTS.append(Fault(f"command: {name}", caught_by, apply))


def break_glass_command(name, old, new):
    command(name, old, new, "BreakGlassCommand", BREAKS_GLASS)


command("the rotation function", "${OperationsFunction}", "${Function}")
command("for good", ',"dry_run":true', "")
command("no JSON", '"maintain"', "maintain")
command("a payload taken for base64", "--cli-binary-format raw-in-base64-out", "")
command("a second pass after a minute", "--cli-read-timeout 0", "")
break_glass_command("an order to the function that refuses it", "${EmergencyFunction}", "${OperationsFunction}")
break_glass_command("a key that dies of a copied line", '"SECRET"', '"prod/bybit/main"')
break_glass_command("an order without a reason", ',"reason":"REASON"', "")
break_glass_command("an order given twice", "--cli-read-timeout 0", "")
break_glass_command("an order taken for base64", "--cli-binary-format raw-in-base64-out", "")


# --- what they may do -------------------------------------------------------------------------------------------------------

ROLE = "each_function_runs_as_its_own_role_with_policies_written_here_and_only_lambda_assumes_it"


@fault(ROLE)
def a_role_that_sam_makes_up(document):
    del function(document)["Role"]


@fault(ROLE)
def an_aws_managed_policy(document):
    properties(document, "ExecutionRole")["ManagedPolicyArns"].append("arn:aws:iam::aws:policy/SecretsManagerReadWrite")


@fault(ROLE)
def one_role_for_both_functions(document):
    operations(document)["Role"] = function(document)["Role"]


@fault(ROLE)
def orders_in_the_role_of_passes(document):
    emergency(document)["Role"] = operations(document)["Role"]


@fault(ROLE)
def a_role_that_nobody_can_name_in_a_key_policy(document):
    del document["Outputs"]["EmergencyRoleArn"]


@fault(ROLE)
def an_emergency_role_for_people(document):
    trust = properties(document, "EmergencyRole")["AssumeRolePolicyDocument"]["Statement"]
    trust.append({"Effect": "Allow", "Principal": {"AWS": {"Ref": "AWS::AccountId"}}, "Action": "sts:AssumeRole"})


@fault(ROLE)
def a_role_the_whole_account_may_assume(document):
    trust = properties(document, "ExecutionRole")["AssumeRolePolicyDocument"]["Statement"]
    trust.append({"Effect": "Allow", "Principal": {"AWS": {"Ref": "AWS::AccountId"}}, "Action": "sts:AssumeRole"})


ATTACHED = "managed_secrets_are_changed_only_if_attached_to_the_rotation_function"


@fault(ATTACHED)
def managed_secrets_without_the_condition(document):
    del statements(document, "ManagedSecretsPolicy")[0]["Condition"]


@fault(ATTACHED)
def managed_secrets_of_every_function(document):
    condition = statements(document, "ManagedSecretsPolicy")[0]["Condition"]["ArnLike"]
    condition["secretsmanager:resource/AllowRotationLambdaArn"] = "arn:aws:lambda:*:*:function:*"


@fault(ATTACHED)
def managed_secrets_attached_to_an_alias_left_out(document):
    del statements(document, "ManagedSecretsPolicy")[0]["Condition"]["ArnLike"]["secretsmanager:resource/AllowRotationLambdaArn"][1]


@fault(ATTACHED)
def a_condition_that_passes_where_its_key_is_missing(document):
    statement = statements(document, "ManagedSecretsPolicy")[0]
    statement["Condition"] = {"ArnLikeIfExists": statement["Condition"]["ArnLike"]}


@fault(ATTACHED)
def one_more_statement_without_the_condition(document):
    grant(document, Action="secretsmanager:DescribeSecret", Resource={"Ref": "ScheduledSecretArn"})


@fault(ATTACHED)
def operations_on_secrets_of_every_function(document):
    del statements(document, "OperationsPolicy")[1]["Condition"]["ArnLike"]


@fault(ATTACHED)
def operations_on_secrets_attached_to_the_operations_function(document):
    condition = statements(document, "OperationsPolicy")[1]["Condition"]["ArnLike"]
    condition["secretsmanager:resource/AllowRotationLambdaArn"] = [arn_of("-operations")]


@fault(ATTACHED)
def labels_moved_on_secrets_that_are_not_attached(document):
    statements(document, "operations", "OperationsRole")[0]["Action"].append("secretsmanager:UpdateSecretVersionStage")


@fault(ATTACHED)
def orders_about_secrets_that_are_not_attached(document):
    grant(document, "EmergencyRole", **statements(document, "operations", "OperationsRole")[0])


@fault(ATTACHED)
def orders_that_move_labels_of_secrets_that_are_not_attached(document):
    unattached(document)[0]["Action"].append("secretsmanager:UpdateSecretVersionStage")


@fault(ATTACHED)
def orders_that_store_values_where_they_may_only_read(document):
    unattached(document)[1]["Action"] = ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"]


@fault(ATTACHED)
def orders_that_rotate_secrets_that_are_not_attached(document):
    unattached(document)[0]["Action"].append("secretsmanager:RotateSecret")


@fault(ATTACHED)
def orders_that_read_any_version_of_a_secret_that_is_not_attached(document):
    del unattached(document)[1]["Condition"]


@fault(ATTACHED)
def steps_about_secrets_that_are_not_attached(document):
    grant(document, **unattached(document)[1])


PLANS = "a_plan_reads_a_secret_that_is_not_attached_yet_an_order_its_current_version_and_nothing_else_does"


@fault(PLANS)
def a_plan_that_cannot_be_made_before_adoption(document):
    del statements(document, "operations", "OperationsRole")[0]


@fault(PLANS)
def orders_that_read_secrets_that_are_not_attached(document):
    grant(document, "EmergencyRole", **statements(document, "operations", "OperationsRole")[0])


@fault(PLANS)
def orders_that_do_not_see_who_else_has_the_leaked_key(document):
    del unattached(document)[1]


@fault(PLANS)
def orders_that_can_not_describe_who_else_has_the_leaked_key(document):
    del unattached(document)[0]


@fault(PLANS)
def orders_that_read_every_version_of_an_unattached_secret(document):
    del unattached(document)[1]["Condition"]


@fault(PLANS)
def orders_that_read_the_previous_version_too(document):
    unattached(document)[1]["Condition"]["ForAnyValue:StringEquals"]["secretsmanager:VersionStage"] = ["AWSCURRENT", "AWSPREVIOUS"]


@fault(PLANS)
def orders_whose_condition_passes_where_no_stage_is_named(document):
    statement = unattached(document)[1]
    statement["Condition"] = {"ForAllValues:StringEquals": statement["Condition"]["ForAnyValue:StringEquals"]}


@fault(PLANS)
def a_description_that_would_have_to_name_a_stage(document):
    unattached(document)[0]["Condition"] = unattached(document)[1]["Condition"]


@fault(PLANS)
def orders_that_store_values_in_secrets_that_are_not_attached(document):
    unattached(document)[0]["Action"].append("secretsmanager:PutSecretValue")


@fault(PLANS)
def orders_that_move_labels_beside_what_they_read(document):
    unattached(document)[1]["Action"] = ["secretsmanager:GetSecretValue", "secretsmanager:UpdateSecretVersionStage"]


@fault(PLANS)
def orders_that_describe_every_secret_of_the_account(document):
    unattached(document)[0]["Resource"] = "*"


@fault(PLANS)
def orders_that_describe_secrets_of_longer_names(document):
    resource = unattached(document)[0]["Resource"][0]
    resource["Fn::Sub"][0] = resource["Fn::Sub"][0].replace("-??????", "-*")


@fault(PLANS)
def steps_that_read_secrets_that_are_not_attached(document):
    grant(document, **unattached(document)[1])


TAGS = "operations_and_emergency_tag_attached_secrets_and_the_rotation_function_writes_no_order_for_itself"


def tagging(document):
    return statements(document, "OperationsPolicy")[1]


@fault(TAGS)
def an_order_that_is_refused_after_ten_versions_of_a_day(document):
    tagging(document)["Action"].remove("secretsmanager:TagResource")


@fault(TAGS)
def tags_on_secrets_of_every_function(document):
    grant(document, "EmergencyRole", Action="secretsmanager:TagResource", Resource=tagging(document)["Resource"])


@fault(TAGS)
def tags_on_the_first_of_several_names(document):
    del tagging(document)["Resource"][1:]


@fault(TAGS)
def steps_that_give_themselves_an_order(document):
    statements(document, "ManagedSecretsPolicy")[0]["Action"].append("secretsmanager:TagResource")


GRANTED = "managed_secrets_are_granted_what_the_four_steps_need_and_no_more"


@fault(GRANTED)
def a_step_without_its_permission(document):
    statements(document, "ManagedSecretsPolicy")[0]["Action"].remove("secretsmanager:UpdateSecretVersionStage")


@fault(GRANTED)
def the_right_to_delete_secrets(document):
    statements(document, "ManagedSecretsPolicy")[0]["Action"].append("secretsmanager:DeleteSecret")


@fault(GRANTED)
def steps_that_rotate(document):
    properties(document, "ExecutionRole")["ManagedPolicyArns"].append({"Ref": "OperationsPolicy"})


OPERATE = "managed_secrets_are_granted_what_operations_need_and_never_a_new_value"


@fault(OPERATE)
def operations_that_store_values(document):
    statements(document, "ManagedSecretsPolicy")[0]["Action"].append("secretsmanager:PutSecretValue")


@fault(OPERATE)
def operations_that_can_not_rotate(document):
    statements(document, "OperationsPolicy")[1]["Action"].remove("secretsmanager:RotateSecret")


@fault(OPERATE)
def operations_that_switch_rotation_off(document):
    statements(document, "OperationsPolicy")[1]["Action"].append("secretsmanager:CancelRotateSecret")


@fault(OPERATE)
def operations_without_the_policy_that_all_share(document):
    del properties(document, "OperationsRole")["ManagedPolicyArns"][0]


@fault(OPERATE)
def orders_that_can_not_rotate(document):
    properties(document, "EmergencyRole")["ManagedPolicyArns"].remove({"Ref": "OperationsPolicy"})


@fault(OPERATE)
def orders_that_store_values(document):
    grant(document, "EmergencyRole", **{**statements(document, "rotation")[0], "Action": ["secretsmanager:PutSecretValue"]})


@fault(OPERATE)
def orders_that_store_values_in_whatever_they_describe(document):
    unattached(document)[0]["Action"].append("secretsmanager:PutSecretValue")


@fault(OPERATE)
def operations_that_can_not_tag(document):
    statements(document, "OperationsPolicy")[1]["Action"].remove("secretsmanager:TagResource")


SHARES = "what_operations_and_emergency_both_may_do_with_attached_secrets_stands_in_policies_that_both_have"


@fault(SHARES)
def a_right_of_both_that_one_can_lose(document):
    properties(document, "EmergencyRole")["ManagedPolicyArns"].remove({"Ref": "OperationsPolicy"})
    for statement in properties(document, "OperationsPolicy")["PolicyDocument"]["Statement"]:
        statements(document, "log", "EmergencyRole").append(statement)


@fault(SHARES)
def a_right_that_orders_have_alone(document):
    grant(document, "EmergencyRole", Action="lambda:InvokeFunction", Resource={"Fn::GetAtt": ["Function", "Arn"]})


@fault(SHARES)
def a_label_that_orders_move_by_a_right_of_their_own(document):
    unattached(document)[0]["Action"].append("secretsmanager:UpdateSecretVersionStage")


@fault(SHARES)
def a_look_at_unattached_secrets_that_orders_have_not(document):
    properties(document, "EmergencyRole")["Policies"].pop(0)


ROTATES = "operations_rotate_with_the_rotation_function_and_attach_no_other"


@fault(ROTATES)
def a_rotation_that_can_not_be_begun(document):
    del properties(document, "OperationsPolicy")["PolicyDocument"]["Statement"][2]


@fault(ROTATES)
def every_function_whose_name_begins_alike(document):
    statements(document, "OperationsPolicy")[2]["Resource"] = arn_of("*")


@fault(ROTATES)
def orders_that_invoke_the_operations_function(document):
    grant(document, "EmergencyRole", Action="lambda:InvokeFunction", Resource=arn_of("-operations"))


@fault(ROTATES)
def secrets_handed_to_another_function(document):
    del statements(document, "OperationsPolicy")[1]["Condition"]["ArnLikeIfExists"]


@fault(ROTATES)
def a_rotation_that_has_to_name_its_function(document):
    condition = statements(document, "OperationsPolicy")[1]["Condition"]
    condition["ArnLike"].update(condition.pop("ArnLikeIfExists"))


NAMES = "a_managed_name_reaches_that_secret_and_not_a_longer_name"


@fault(NAMES)
def names_that_end_in_a_star(document):
    resource = statements(document, "ManagedSecretsPolicy")[0]["Resource"][0]
    resource["Fn::Sub"][0] = resource["Fn::Sub"][0].replace("-??????", "*")


@fault(NAMES)
def names_without_their_six_characters(document):
    for resource in statements(document, "ManagedSecretsPolicy")[0]["Resource"]:
        resource["Fn::Sub"][0] = resource["Fn::Sub"][0].replace("-??????", "")


@fault(NAMES)
def only_the_first_of_several_names(document):
    del statements(document, "ManagedSecretsPolicy")[0]["Resource"][1:]


@fault(NAMES)
def a_value_stored_under_the_first_of_several_names_only(document):
    del statements(document, "rotation")[0]["Resource"][1:]


@fault(NAMES)
def operations_on_the_first_two_of_three_names(document):
    del statements(document, "OperationsPolicy")[1]["Resource"][2]


@fault(NAMES)
def a_plan_for_the_last_two_of_three_names(document):
    del statements(document, "operations", "OperationsRole")[0]["Resource"][0]


@fault(NAMES)
def orders_that_look_at_the_first_two_of_three_names(document):
    del unattached(document)[1]["Resource"][2]


@fault(NAMES)
def orders_that_read_what_is_current_under_longer_names(document):
    resource = unattached(document)[1]["Resource"][0]
    resource["Fn::Sub"][0] = resource["Fn::Sub"][0].replace("-??????", "-master-??????")


@fault(NAMES)
def operations_on_longer_names(document):
    resource = statements(document, "OperationsPolicy")[1]["Resource"][0]
    resource["Fn::Sub"][0] = resource["Fn::Sub"][0].replace("-??????", "-*")


@fault("managed_names_are_never_guessed_and_never_everything")
def every_secret_by_default(document):
    document["Parameters"]["ManagedSecretNames"]["Default"] = "prod/*"


@fault("managed_names_are_never_guessed_and_never_everything")
def a_fourth_name_that_is_silently_dropped(document):
    spec = document["Parameters"]["ManagedSecretNames"]
    spec["AllowedPattern"] = spec["AllowedPattern"].replace("{0,2}", "*")


@fault("managed_names_are_never_guessed_and_never_everything")
def two_stars_that_eventbridge_refuses(document):
    spec = document["Parameters"]["ManagedSecretNames"]
    spec["AllowedPattern"] = "^[A-Za-z0-9/_+=.@-][A-Za-z0-9/_+=.@*-]*(,[A-Za-z0-9/_+=.@-][A-Za-z0-9/_+=.@*-]*){0,2}$"


@fault("managed_names_are_never_guessed_and_never_everything")
def a_lone_star_as_a_name(document):
    document["Parameters"]["ManagedSecretNames"]["AllowedPattern"] = "[^,]+(,[^,]+){0,2}"


MASTERS = "masters_are_read_by_exact_arn_in_their_current_version_and_nothing_else"


@fault(MASTERS)
def masters_by_wildcard(document):
    statements(document, "MasterSecretsPolicy")[0]["Resource"] = {
        "Fn::Sub": "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:*/master-??????"
    }


@fault(MASTERS)
def masters_in_any_version(document):
    del statements(document, "MasterSecretsPolicy")[0]["Condition"]


@fault(MASTERS)
def masters_in_their_previous_version(document):
    condition = statements(document, "MasterSecretsPolicy")[0]["Condition"]["ForAnyValue:StringEquals"]
    condition["secretsmanager:VersionStage"] = ["AWSCURRENT", "AWSPREVIOUS"]


@fault(MASTERS)
def masters_that_orders_read_by_any_name(document):
    unattached(document)[1]["Resource"] = {
        "Fn::Sub": "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:masters/*"
    }


@fault(MASTERS)
def masters_among_the_secrets_that_are_not_attached(document):
    unattached(document)[1]["Resource"].append({"Fn::Select": [0, {"Ref": "MasterSecretArns"}]})


@fault(MASTERS)
def masters_that_may_be_written(document):
    statement = statements(document, "MasterSecretsPolicy")[0]
    statement["Action"] = ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"]


@fault(MASTERS)
def masters_that_operations_may_delete(document):
    statements(document, "OperationsPolicy")[3]["Action"] = "secretsmanager:DeleteSecret"


@fault(MASTERS)
def masters_described_by_any_name(document):
    arn = {"Fn::Sub": "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:masters/*"}
    statements(document, "OperationsPolicy")[3]["Resource"] = arn


@fault(MASTERS)
def operations_that_can_not_read_masters(document):
    del properties(document, "OperationsRole")["ManagedPolicyArns"][1]


@fault(MASTERS)
def orders_that_can_not_read_masters(document):
    del properties(document, "EmergencyRole")["ManagedPolicyArns"][1]


@fault(MASTERS)
def masters_described_by_the_steps(document):
    grant(document, **statements(document, "OperationsPolicy")[3])


@fault(MASTERS)
def a_statement_on_masters_where_there_are_none(document):
    document["Conditions"]["HasMasters"] = {"Fn::Equals": ["yes", "yes"]}


@fault("a_master_is_named_by_its_full_arn_without_wildcards")
def a_wildcard_as_a_master(document):
    document["Parameters"]["MasterSecretArns"]["AllowedPattern"] = "^$|^arn:aws.*$"


EVERYTHING = "nothing_is_granted_on_every_resource_but_listing_secrets_and_network_interfaces"


@fault(EVERYTHING)
def random_passwords_from_everywhere(document):
    grant(document, Action="secretsmanager:GetRandomPassword", Resource="*")


@fault(EVERYTHING)
def every_secret_in_the_account(document):
    statements(document, "ManagedSecretsPolicy")[0]["Resource"] = {
        "Fn::Sub": "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:*"
    }


@fault(EVERYTHING)
def orders_that_read_what_is_current_everywhere(document):
    unattached(document)[1]["Resource"] = "*"


@fault(EVERYTHING)
def orders_that_describe_everything(document):
    unattached(document)[0]["Resource"] = "*"


@fault(EVERYTHING)
def orders_that_read_what_is_current_under_any_name(document):
    unattached(document)[1]["Resource"] = {
        "Fn::Sub": "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:*-??????"
    }


@fault(EVERYTHING)
def every_action_of_the_service(document):
    statements(document, "ManagedSecretsPolicy")[0]["Action"] = "secretsmanager:*"


@fault(EVERYTHING)
def everything_but_what_is_named(document):
    grant(document, NotAction="iam:*", Resource={"Ref": "ScheduledSecretArn"})


LISTING = "only_operations_and_emergency_list_secrets_and_learn_no_value_by_it"


@fault(LISTING)
def steps_that_list_secrets(document):
    grant(document, Action="secretsmanager:ListSecrets", Resource="*")


@fault(LISTING)
def a_listing_that_reads_values(document):
    statement = statements(document, "OperationsPolicy")[0]
    statement["Action"] = [statement["Action"], "secretsmanager:BatchGetSecretValue"]


@fault(LISTING)
def operations_that_find_no_secret(document):
    del properties(document, "OperationsPolicy")["PolicyDocument"]["Statement"][0]


INTERFACES = "network_interfaces_are_lambdas_business_and_only_in_a_vpc"


@fault(INTERFACES)
def network_interfaces_outside_a_vpc(document):
    del document["Resources"]["NetworkInterfacesPolicy"]["Condition"]
    properties(document, "ExecutionRole")["ManagedPolicyArns"][2] = {"Ref": "NetworkInterfacesPolicy"}


@fault(INTERFACES)
def network_interfaces_for_the_code(document):
    del properties(document, "NetworkInterfacesPolicy")["PolicyDocument"]["Statement"][1]


@fault(INTERFACES)
def network_interfaces_for_the_code_of_operations(document):
    del statements(document, "NetworkInterfacesPolicy")[1]["Condition"]["ArnEquals"]["lambda:SourceFunctionArn"][1]


@fault(INTERFACES)
def network_interfaces_for_the_code_of_orders(document):
    del statements(document, "NetworkInterfacesPolicy")[1]["Condition"]["ArnEquals"]["lambda:SourceFunctionArn"][2]


@fault(INTERFACES)
def orders_that_can_not_join_the_vpc(document):
    del properties(document, "EmergencyRole")["ManagedPolicyArns"][2]


@fault(INTERFACES)
def a_vpc_that_can_not_be_joined(document):
    statements(document, "NetworkInterfacesPolicy")[0]["Action"].remove("ec2:CreateNetworkInterface")


KMS = "the_kms_key_opens_the_granted_secrets_through_secrets_manager_and_nothing_else"


@fault(KMS)
def operations_that_do_not_know_which_key_is_granted(document):
    del operations(document)["Environment"]["Variables"]["KMS_KEY_ARN"]


@fault(KMS)
def orders_that_do_not_know_which_key_is_granted(document):
    del emergency(document)["Environment"]["Variables"]["KMS_KEY_ARN"]


@fault(KMS)
def a_key_that_opens_everything_it_encrypts(document):
    del statements(document, "ManagedSecretsPolicy")[1]["Condition"]["StringLike"]


@fault(KMS)
def a_key_used_without_secrets_manager(document):
    del statements(document, "ManagedSecretsPolicy")[1]["Condition"]["StringEquals"]


@fault(KMS)
def every_key_of_the_account(document):
    statements(document, "ManagedSecretsPolicy")[1]["Resource"] = {"Fn::Sub": "arn:aws:kms:*:${AWS::AccountId}:key/*"}


@fault(KMS)
def a_describe_that_never_matches(document):
    _, encrypted, describe = statements(document, "ManagedSecretsPolicy")
    describe["Condition"] = encrypted["Condition"]


@fault(KMS)
def masters_that_may_be_encrypted(document):
    statements(document, "MasterSecretsPolicy")[1]["Action"] = ["kms:Decrypt", "kms:GenerateDataKey"]


@fault(KMS)
def masters_that_can_not_be_decrypted(document):
    del properties(document, "MasterSecretsPolicy")["PolicyDocument"]["Statement"][1]


HOST = "the_kms_key_is_used_through_secrets_manager_wherever_its_host_ends_otherwise"


def host(name, policy, statement):
    def apply(document):
        condition = statements(document, policy)[statement]["Condition"]["StringEquals"]
        condition["kms:ViaService"] = {"Fn::Sub": "secretsmanager.${AWS::Region}.amazonaws.com"}

    FAULTS.append(Fault(f"fixed host: {name}", HOST, apply))


host("managed secrets that China's key does not open", "ManagedSecretsPolicy", 1)
host("a key that cannot be described in China", "ManagedSecretsPolicy", 2)
host("masters that China's key does not open", "MasterSecretsPolicy", 1)


@fault("each_function_writes_to_its_own_log_group_only")
def every_log_group(document):
    statements(document, "log")[0]["Resource"] = {"Fn::Sub": "arn:aws:logs:${AWS::Region}:${AWS::AccountId}:log-group:*"}


@fault("each_function_writes_to_its_own_log_group_only")
def a_function_that_can_not_write_its_log(document):
    statements(document, "log")[0]["Action"].remove("logs:PutLogEvents")


@fault("each_function_writes_to_its_own_log_group_only")
def operations_that_write_into_the_other_log(document):
    statements(document, "log", "OperationsRole")[0]["Resource"] = {"Fn::GetAtt": ["LogGroup", "Arn"]}


@fault("each_function_writes_to_its_own_log_group_only")
def orders_that_write_into_the_log_of_passes(document):
    statements(document, "log", "EmergencyRole")[0]["Resource"] = {"Fn::GetAtt": ["OperationsLogGroup", "Arn"]}


@fault("nothing_else_is_granted")
def orders_that_empty_the_queue(document):
    grant(document, "EmergencyRole", Action="sqs:PurgeQueue", Resource={"Fn::GetAtt": ["MovedLabelQueue", "Arn"]})


@fault("nothing_else_is_granted")
def steps_that_invoke_functions(document):
    grant(document, Action="lambda:InvokeFunction", Resource={"Fn::GetAtt": ["LogGroup", "Arn"]})


@fault("nothing_else_is_granted")
def pages_sent_by_the_function_itself(document):
    grant(document, "OperationsRole", Action="sns:Publish", Resource={"Ref": "AlarmTopicArn"})


@fault("nothing_else_is_granted")
def a_table_for_locks(document):
    grant(document, Action="dynamodb:PutItem", Resource={"Fn::Sub": "arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:table/locks"})


# --- when it rotates --------------------------------------------------------------------------------------------------------


@fault("deploying_rotates_nothing")
def a_rotation_with_every_deployment(document):
    schedule(document)["RotateImmediatelyOnUpdate"] = True


@fault("deploying_rotates_nothing")
def the_service_decides_whether_to_rotate(document):
    del schedule(document)["RotateImmediatelyOnUpdate"]


@fault("deploying_rotates_nothing")
def a_schedule_without_a_secret(document):
    del document["Resources"]["ScheduledRotation"]["Condition"]


@fault("deploying_rotates_nothing")
def a_command_that_rotates_while_it_attaches(document):
    value = document["Outputs"]["AttachCommand"]["Value"]
    value["Fn::Sub"] = value["Fn::Sub"].replace("--no-rotate-immediately", "")


SCHEDULE = "a_schedule_and_its_window_are_ones_secrets_manager_takes"


def rules(name, **given):
    def apply(document):
        schedule(document)["RotationRules"] = given
        # The command follows, so that only the rules themselves can be what is wrong.
        document["Outputs"]["AttachCommand"]["Value"] = f"--rotation-rules '{json.dumps(given)}' --no-rotate-immediately"

    FAULTS.append(Fault(f"schedule: {name}", SCHEDULE, apply))


rules("more often than every 4 hours", ScheduleExpression="rate(3 hours)", Duration="1h")
rules("more than 1,000 days apart", ScheduleExpression="rate(1001 days)", Duration="4h")
rules("a unit that does not exist", ScheduleExpression="rate(3 months)", Duration="4h")
rules("two days, written as one", ScheduleExpression="rate(2 day)", Duration="4h")
rules("a cron with five fields", ScheduleExpression="cron(0 3 1 * ?)", Duration="4h")
rules("a cron that names minutes", ScheduleExpression="cron(30 3 1 * ? *)", Duration="4h")
rules("a cron that fires every two hours", ScheduleExpression="cron(0 */2 * * ? *)", Duration="1h")
rules("a cron with two kinds of day", ScheduleExpression="cron(0 3 1 * MON *)", Duration="4h")
rules("a window without a unit", ScheduleExpression="rate(90 days)", Duration="4")
rules("a window in days", ScheduleExpression="rate(90 days)", Duration="1d")
rules("a window of no hours", ScheduleExpression="rate(90 days)", Duration="0h")
rules("a window longer than a day", ScheduleExpression="rate(90 days)", Duration="25h")
rules("a window as long as the interval", ScheduleExpression="rate(6 hours)", Duration="6h")
rules("no window", ScheduleExpression="rate(90 days)")
rules("days and an expression", AutomaticallyAfterDays=90, ScheduleExpression="rate(90 days)", Duration="4h")
rules("no schedule", Duration="4h")
rules("too many days", AutomaticallyAfterDays=1001, Duration="4h")


@fault(SCHEDULE)
def a_command_with_another_schedule(document):
    value = document["Outputs"]["AttachCommand"]["Value"]
    value["Fn::Sub"] = value["Fn::Sub"].replace("rate(90 days)", "rate(30 days)")


WAITS = "the_schedule_attaches_this_function_once_it_may_be_invoked"


@fault(WAITS)
def attached_before_it_may_be_invoked(document):
    del document["Resources"]["ScheduledRotation"]["DependsOn"]


@fault(WAITS)
def attached_to_another_function(document):
    schedule(document)["RotationLambdaARN"] = {"Fn::Sub": "arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:other"}


@fault("no_secret_is_made_or_overwritten_by_a_deployment")
def a_secret_with_its_value_in_the_template(document):
    document["Resources"]["Secret"] = {
        "Type": "AWS::SecretsManager::Secret",
        "Properties": {"Name": "prod/bybit/trading", "SecretString": "{}"},
    }


# --- when operations run ----------------------------------------------------------------------------------------------------

HOURLY = "every_part_of_the_secrets_is_looked_after_every_hour"


@fault(HOURLY)
def a_part_that_nobody_looks_after(document):
    del document["Resources"]["MaintainThirdShard"]


@fault(HOURLY)
def a_part_looked_after_twice(document):
    properties(document, "MaintainFourthShard")["Target"]["Input"] = properties(document, "MaintainThirdShard")["Target"]["Input"]


@fault(HOURLY)
def parts_that_there_are_not(document):
    del document["Resources"]["MaintainSecondShard"]["Condition"]


@fault(HOURLY)
def half_of_the_parts_in_halves_only(document):
    document["Conditions"]["HasTwoShards"] = {"Fn::Equals": [{"Ref": "MaintainShards"}, "2"]}


@fault(HOURLY)
def a_cron_with_seven_fields(document):
    properties(document, "MaintainFirstShard")["ScheduleExpression"] = "cron(0 * * * * ? *)"


@fault(HOURLY)
def passes_every_day(document):
    properties(document, "MaintainFirstShard")["ScheduleExpression"] = "rate(1 day)"


@fault(HOURLY)
def all_parts_at_once(document):
    properties(document, "MaintainThirdShard")["ScheduleExpression"] = "cron(0 * * * ? *)"


@fault("all_secrets_are_audited_once_a_day")
def an_audit_every_hour(document):
    properties(document, "AuditDaily")["ScheduleExpression"] = "cron(20 * * * ? *)"


@fault("all_secrets_are_audited_once_a_day")
def no_audit(document):
    del document["Resources"]["AuditDaily"]


CALLS = "schedules_call_the_operations_function_and_leave_retries_to_the_next_hour"


@fault(CALLS)
def a_schedule_that_calls_the_rotation_function(document):
    properties(document, "MaintainFirstShard")["Target"]["Arn"] = {"Fn::GetAtt": ["Function", "Arn"]}


@fault(CALLS)
def a_pass_retried_for_a_day(document):
    del properties(document, "AuditDaily")["Target"]["RetryPolicy"]


@fault(CALLS)
def passes_anywhere_in_the_hour(document):
    properties(document, "MaintainSecondShard")["FlexibleTimeWindow"]["MaximumWindowInMinutes"] = 60


SWITCHES = "operations_run_by_themselves_unless_switched_off"


@fault(SWITCHES)
def a_schedule_that_can_not_be_switched_off(document):
    del properties(document, "MaintainThirdShard")["State"]


@fault(SWITCHES)
def an_audit_switched_off_with_the_passes(document):
    properties(document, "AuditDaily")["State"] = {"Ref": "MaintainSchedule"}


@fault(SWITCHES)
def a_rule_that_goes_on_when_passes_are_switched_off(document):
    properties(document, "MovedLabelRule")["State"] = "ENABLED"


@fault(SWITCHES)
def a_queue_that_is_read_when_passes_are_switched_off(document):
    del properties(document, "MovedLabelMapping")["Enabled"]


@fault(SWITCHES)
def a_queue_that_is_never_read(document):
    properties(document, "MovedLabelMapping")["Enabled"] = False


@fault(SWITCHES)
def no_passes_by_default(document):
    document["Parameters"]["MaintainSchedule"]["Default"] = "DISABLED"


SCHEDULER = "schedules_may_invoke_the_operations_function_alone_and_no_other_schedule_may"


@fault(SCHEDULER)
def schedules_that_may_call_the_steps(document):
    statement = statements(document, "invoke", "SchedulerRole")[0]
    statement["Resource"] = [statement["Resource"], {"Fn::GetAtt": ["Function", "Arn"]}]


@fault(SCHEDULER)
def schedules_of_every_account(document):
    del properties(document, "SchedulerRole")["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]


@fault(SCHEDULER)
def every_schedule_of_the_account(document):
    condition = properties(document, "SchedulerRole")["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]
    del condition["StringEquals"]["aws:SourceArn"]


@fault(SCHEDULER)
def a_schedule_outside_the_group_that_may_use_the_role(document):
    del properties(document, "MaintainFirstShard")["GroupName"]


@fault(SCHEDULER)
def a_schedule_with_the_functions_role(document):
    properties(document, "AuditDaily")["Target"]["RoleArn"] = {"Fn::GetAtt": ["OperationsRole", "Arn"]}


MOVED = "a_label_that_a_person_moves_has_its_secret_looked_after_and_our_stamps_have_not"


def detail(document):
    return properties(document, "MovedLabelRule")["EventPattern"]["detail"]


@fault(MOVED)
def a_leaked_key_that_waits_for_the_hour(document):
    detail(document)["labelUpdated"].remove("COMPROMISED")


@fault(MOVED)
def passes_that_set_off_the_next(document):
    detail(document)["labelUpdated"].append({"prefix": "REPLACED-"})


@fault(MOVED)
def every_label(document):
    del detail(document)["labelUpdated"]


@fault(MOVED)
def every_secret_of_the_account(document):
    del detail(document)["name"]


@fault(MOVED)
def labels_of_the_first_name_only(document):
    del detail(document)["name"][1:]


@fault(MOVED)
def a_second_name_that_is_empty(document):
    detail(document)["name"][1] = detail(document)["name"][1]["Fn::If"][1]


@fault(MOVED)
def names_with_a_star_taken_to_the_letter(document):
    detail(document)["name"][0] = detail(document)["name"][0]["wildcard"]


@fault(MOVED)
def an_event_that_is_never_sent(document):
    properties(document, "MovedLabelRule")["EventPattern"]["detail-type"] = ["AWS API Call via CloudTrail"]


SAYS = "the_rule_says_which_secret_and_nothing_else"


@fault(SAYS)
def an_event_that_is_no_operation(document):
    del properties(document, "MovedLabelRule")["Targets"][0]["InputTransformer"]


@fault(SAYS)
def the_label_in_the_secrets_place(document):
    properties(document, "MovedLabelRule")["Targets"][0]["InputTransformer"]["InputPathsMap"]["name"] = "$.detail.labelUpdated"


@fault(SAYS)
def the_whole_fleet_for_one_secret(document):
    transformer = properties(document, "MovedLabelRule")["Targets"][0]["InputTransformer"]
    transformer["InputTemplate"] = '{"operation":"maintain"}'


@fault(SAYS)
def a_label_looked_at_a_day_later(document):
    del properties(document, "MovedLabelRule")["Targets"][0]["RetryPolicy"]


@fault(SAYS)
def a_queue_written_to_with_a_role(document):
    properties(document, "MovedLabelRule")["Targets"][0]["RoleArn"] = {"Fn::GetAtt": ["OperationsRole", "Arn"]}


ONCE = "however_many_labels_move_the_operations_function_is_called_once_a_minute_and_twice_at_a_time"


def mapping(document):
    return properties(document, "MovedLabelMapping")


@fault(ONCE)
def a_run_for_every_moved_label(document):
    target = {"Id": "operations", "Arn": {"Fn::GetAtt": ["OperationsFunction", "Arn"]}}
    properties(document, "MovedLabelRule")["Targets"].append(target)


@fault(ONCE)
def a_run_for_ten_moved_labels(document):
    del mapping(document)["BatchSize"]


@fault(ONCE)
def a_batch_that_lambda_refuses_without_a_window(document):
    del mapping(document)["MaximumBatchingWindowInSeconds"]


@fault(ONCE)
def a_batch_that_waits_for_nothing(document):
    mapping(document)["MaximumBatchingWindowInSeconds"] = 1


@fault(ONCE)
def a_storm_that_takes_the_accounts_concurrency(document):
    del mapping(document)["ScalingConfig"]


@fault(ONCE)
def a_storm_that_takes_a_hundred_runs(document):
    mapping(document)["ScalingConfig"]["MaximumConcurrency"] = 100


@fault(ONCE)
def an_answer_taken_for_a_list_of_messages(document):
    mapping(document)["FunctionResponseTypes"] = ["ReportBatchItemFailures"]


@fault(ONCE)
def moved_labels_handed_to_the_steps(document):
    mapping(document)["FunctionName"] = {"Fn::GetAtt": ["Function", "Arn"]}


SEEN = "a_batch_is_hidden_for_as_long_as_it_may_take_and_one_that_failed_is_never_seen_again"


def queue(document):
    return properties(document, "MovedLabelQueue")


@fault(SEEN)
def a_queue_with_the_visibility_timeout_of_sqs(document):
    del queue(document)["VisibilityTimeout"]


@fault(SEEN)
def a_visibility_timeout_without_the_window(document):
    queue(document)["VisibilityTimeout"] = 5400


@fault(SEEN)
def messages_kept_for_four_days(document):
    del queue(document)["MessageRetentionPeriod"]


@fault(SEEN)
def messages_gone_before_a_run_is_over(document):
    queue(document)["MessageRetentionPeriod"] = 600


@fault(SEEN)
def a_dead_letter_queue_that_nobody_reads(document):
    arn = {"Fn::Sub": "arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:dead"}
    queue(document)["RedrivePolicy"] = {"deadLetterTargetArn": arn, "maxReceiveCount": 1}


SENDS = "the_rule_alone_sends_to_the_queue_over_tls_and_messages_are_encrypted"


def sending(document):
    return statements(document, "MovedLabelQueuePolicy")[0]


@fault(SENDS)
def messages_in_the_clear(document):
    queue(document)["SqsManagedSseEnabled"] = False


@fault(SENDS)
def a_rule_that_may_not_send(document):
    del properties(document, "MovedLabelQueuePolicy")["PolicyDocument"]["Statement"][0]


@fault(SENDS)
def every_rule_of_every_account(document):
    del sending(document)["Condition"]


@fault(SENDS)
def every_rule_of_the_account(document):
    arn = {"Fn::Sub": "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/*"}
    sending(document)["Condition"] = {"ArnLike": {"aws:SourceArn": arn}}


@fault(SENDS)
def a_rule_of_that_name_in_any_account(document):
    arn = {"Fn::Sub": "arn:${AWS::Partition}:events:${AWS::Region}:*:rule/${MovedLabelRule}"}
    sending(document)["Condition"] = {"ArnLike": {"aws:SourceArn": arn}}


@fault(SENDS)
def a_condition_that_eventbridge_need_not_meet(document):
    sending(document)["Condition"]["StringEquals"] = {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}


@fault(SENDS)
def another_rule_than_the_one_that_sends(document):
    sending(document)["Condition"]["ArnEquals"]["aws:SourceArn"] = {"Fn::GetAtt": ["FailedRotationRule", "Arn"]}


@fault(SENDS)
def a_rule_that_reads_what_it_sent(document):
    sending(document)["Action"] = ["sqs:SendMessage", "sqs:ReceiveMessage"]


@fault(SENDS)
def anybody_in_the_account_sends(document):
    sending(document)["Principal"] = {"AWS": {"Ref": "AWS::AccountId"}}


@fault(SENDS)
def messages_over_plain_http(document):
    del properties(document, "MovedLabelQueuePolicy")["PolicyDocument"]["Statement"][1]


@fault(SENDS)
def everybody_kept_from_the_queue_over_tls(document):
    statements(document, "MovedLabelQueuePolicy")[1]["Condition"]["Bool"]["aws:SecureTransport"] = "true"


READS = "lambda_reads_that_queue_for_the_operations_function_and_no_other_role_reads_any"


@fault(READS)
def a_queue_that_may_not_be_read(document):
    del statements(document, "operations", "OperationsRole")[1]


@fault(READS)
def messages_that_are_never_deleted(document):
    statements(document, "operations", "OperationsRole")[1]["Action"].remove("sqs:DeleteMessage")


@fault(READS)
def every_queue_of_the_account(document):
    arn = {"Fn::Sub": "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:*"}
    statements(document, "operations", "OperationsRole")[1]["Resource"] = arn


@fault(READS)
def orders_that_read_the_queue(document):
    grant(document, "EmergencyRole", **statements(document, "operations", "OperationsRole").pop())


# --- who hears of a failure -------------------------------------------------------------------------------------------------

ALARM = "one_failed_step_raises_the_alarm"


@fault(ALARM)
def an_alarm_on_the_wrong_metric(document):
    properties(document, "FailedStepAlarm")["MetricName"] = "Invocations"


@fault(ALARM)
def an_alarm_on_every_function(document):
    del properties(document, "FailedStepAlarm")["Dimensions"]


@fault(ALARM)
def an_alarm_only_for_many_failures(document):
    properties(document, "FailedStepAlarm")["Threshold"] = 5


OPERATION_ALARM = "one_failed_operation_raises_the_alarm"


@fault(OPERATION_ALARM)
def one_alarm_for_both_functions(document):
    del document["Resources"]["FailedOperationAlarm"]


@fault(OPERATION_ALARM)
def an_alarm_on_the_other_function(document):
    properties(document, "FailedOperationAlarm")["Dimensions"][0]["Value"] = {"Ref": "Function"}


ORDER_ALARM = "one_failed_order_raises_the_alarm"


@fault(ORDER_ALARM)
def orders_that_fail_unheard_of(document):
    del document["Resources"]["FailedEmergencyAlarm"]


@fault(ORDER_ALARM)
def failed_passes_taken_for_failed_orders(document):
    properties(document, "FailedEmergencyAlarm")["Dimensions"][0]["Value"] = {"Ref": "OperationsFunction"}


@fault(ORDER_ALARM)
def an_alarm_that_names_the_log_of_the_steps(document):
    properties(document, "FailedEmergencyAlarm")["AlarmDescription"] = {"Fn::Sub": "See /aws/lambda/${FunctionName}."}


@fault(ORDER_ALARM)
def an_alarm_only_for_every_second_order(document):
    properties(document, "FailedEmergencyAlarm")["Threshold"] = 2


NOT_DONE = "one_pass_that_was_not_done_raises_the_alarm"


@fault(NOT_DONE)
def passes_that_fail_and_answer_unheard_of(document):
    del document["Resources"]["FailedPassAlarm"]


@fault(NOT_DONE)
def a_failure_only_of_maintain(document):
    properties(document, "FailedPasses")["FilterPattern"] = '{ ($.operation = "maintain") && ($.outcome = "failed") }'


@fault(NOT_DONE)
def failed_passes_that_nobody_counts(document):
    properties(document, "FailedPassAlarm")["MetricName"] = {"Fn::Sub": "${FunctionName}-page-findings"}


PAGE = "one_finding_that_pages_raises_the_alarm"


def transformation(document, name):
    return properties(document, name)["MetricTransformations"][0]


@fault(PAGE)
def a_page_for_every_finding(document):
    properties(document, "PageFindings")["FilterPattern"] = '{ $.type = "finding" }'


@fault(PAGE)
def pages_looked_for_in_the_other_log(document):
    properties(document, "PageFindings")["LogGroupName"] = {"Ref": "LogGroup"}


@fault(PAGE)
def a_leaked_key_still_alive_after_an_order_unheard_of(document):
    del document["Resources"]["EmergencyPageFindings"]


@fault(PAGE)
def pages_of_orders_looked_for_in_the_log_of_passes(document):
    properties(document, "EmergencyPageFindings")["LogGroupName"] = {"Ref": "OperationsLogGroup"}


@fault(PAGE)
def pages_of_orders_in_a_metric_that_nobody_watches(document):
    transformation(document, "EmergencyPageFindings")["MetricName"] = {"Fn::Sub": "${FunctionName}-order-findings"}


@fault(PAGE)
def an_alarm_that_names_one_log_group_of_two(document):
    text = properties(document, "PageFindingAlarm")["AlarmDescription"]
    text["Fn::Sub"] = text["Fn::Sub"].replace("/aws/lambda/${FunctionName}-emergency", "the other one")


@fault(PAGE)
def a_metric_that_nobody_watches(document):
    transformation(document, "PageFindings")["MetricName"] = {"Fn::Sub": "${FunctionName}-pages"}


@fault(PAGE)
def an_alarm_that_waits_for_a_second_page(document):
    properties(document, "PageFindingAlarm")["Threshold"] = 2


@fault(PAGE)
def pages_that_are_averaged_away(document):
    properties(document, "PageFindingAlarm")["Statistic"] = "Average"


MISSING = "three_hours_without_a_pass_raise_the_alarm_where_passes_are_scheduled"


@fault(MISSING)
def silence_taken_for_health(document):
    properties(document, "MaintainMissingAlarm")["TreatMissingData"] = "notBreaching"


@fault(MISSING)
def an_alarm_that_comes_hours_late(document):
    properties(document, "MaintainMissingAlarm").update(Period=3600, EvaluationPeriods=3)


@fault(MISSING)
def an_alarm_between_two_passes(document):
    properties(document, "MaintainMissingAlarm")["EvaluationPeriods"] = 2


@fault(MISSING)
def an_alarm_about_what_is_switched_off(document):
    del document["Resources"]["MaintainMissingAlarm"]["Condition"]


@fault(MISSING)
def failed_passes_counted_as_completed(document):
    pattern = properties(document, "MaintainCompletions")
    pattern["FilterPattern"] = '{ ($.type = "operation") && ($.operation = "maintain") }'


@fault(MISSING)
def looks_counted_as_passes(document):
    pattern = properties(document, "MaintainCompletions")
    pattern["FilterPattern"] = pattern["FilterPattern"].replace(" && ($.dry_run IS FALSE)", "")


@fault(MISSING)
def one_shard_that_answers_for_all(document):
    del properties(document, "MaintainCompletions")["MetricTransformations"][0]["Dimensions"]


@fault(MISSING)
def a_shard_that_nobody_misses(document):
    del document["Resources"]["MaintainMissingAlarmOfShard4"]


@fault(MISSING)
def audits_counted_as_passes(document):
    pattern = properties(document, "MaintainCompletions")
    pattern["FilterPattern"] = '{ ($.type = "operation") && ($.outcome != "failed") }'


TOPIC = "every_alarm_reaches_the_topic"


@fault(TOPIC)
def an_alarm_that_reaches_nobody(document):
    del properties(document, "FailedStepAlarm")["AlarmActions"]


@fault(TOPIC)
def an_alarm_whose_actions_are_off(document):
    properties(document, "PageFindingAlarm")["ActionsEnabled"] = False


@fault(TOPIC)
def an_alarm_to_a_topic_that_there_is_not(document):
    properties(document, "MaintainMissingAlarm")["AlarmActions"] = [{"Ref": "AlarmTopicArn"}]


@fault("each_stack_counts_for_itself")
def one_metric_for_all_stacks(document):
    transformation(document, "PageFindings")["MetricName"] = "PageFindings"


RULE = "rotations_that_fail_outside_the_function_reach_the_topic"


@fault(RULE)
def events_of_api_calls_where_there_are_none(document):
    properties(document, "FailedRotationRule")["EventPattern"]["detail-type"] = ["AWS API Call via CloudTrail"]


@fault(RULE)
def a_failed_dry_run_unheard(document):
    properties(document, "FailedRotationRule")["EventPattern"]["detail"]["eventName"].remove("TestRotationFailed")


@fault(RULE)
def a_rule_switched_off(document):
    properties(document, "FailedRotationRule")["State"] = "DISABLED"


@fault(RULE)
def a_topic_published_to_with_a_role(document):
    properties(document, "FailedRotationRule")["Targets"][0]["RoleArn"] = {"Fn::GetAtt": ["ExecutionRole", "Arn"]}


@fault(RULE)
def a_rule_without_a_topic(document):
    del document["Resources"]["FailedRotationRule"]["Condition"]


# --- what the linter sees once the file is expanded -------------------------------------------------------------------------


@fault(LINTER)
def two_functions_that_wait_for_each_other(document):
    operations(document)["Environment"]["Variables"]["EMERGENCY_FUNCTION_ARN"] = {"Fn::GetAtt": ["EmergencyFunction", "Arn"]}


@fault(LINTER)
def a_concurrency_that_lambda_refuses(document):
    mapping(document)["ScalingConfig"]["MaximumConcurrency"] = 1


@fault(LINTER)
def a_role_and_a_function_that_wait_for_each_other(document):
    condition = statements(document, "ManagedSecretsPolicy")[0]["Condition"]["ArnLike"]
    condition["secretsmanager:resource/AllowRotationLambdaArn"] = {"Fn::GetAtt": ["Function", "Arn"]}


@fault(LINTER)
def a_condition_nobody_defined(document):
    del document["Conditions"]["InVpc"]


@fault(LINTER)
def a_misspelt_property(document):
    schedule(document)["RotateImmediately"] = schedule(document).pop("RotateImmediatelyOnUpdate")


@fault(LINTER)
def a_retention_that_cloudwatch_refuses(document):
    properties(document, "LogGroup")["RetentionInDays"] = 100


@fault(LINTER)
def a_parameter_nobody_uses(document):
    document["Parameters"]["Unused"] = {"Type": "String", "Default": ""}
