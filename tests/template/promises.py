"""What the deployed stack must and must not be. Each promise is a function whose name says it; it fails by assertion."""

import json
import re

from cloudformation import ACCOUNT, FULL, REGION, SECRET, accepts

PROMISES = []


def promise(check):
    PROMISES.append(check)
    return check


# --- the functions ----------------------------------------------------------------------------------------------------------


@promise
def both_functions_run_the_arm64_binary_on_provided_al2023_built_once(deployed):
    for function in (rotation(deployed.smallest), operations(deployed.smallest)):
        has(function["Properties"], Architectures=["arm64"], Runtime="provided.al2023", Handler="bootstrap")
        has(function.get("Metadata", {}), BuildMethod="rust-cargolambda", BuildProperties={"Binary": "exchange-key-rotation"})
    # `sam build` takes what differs in any word for another build.
    equal("metadata", operations(deployed.smallest)["Metadata"], rotation(deployed.smallest)["Metadata"])


@promise
def a_functions_name_leaves_room_for_the_other_ones(deployed):
    spec = deployed.template["Parameters"]["FunctionName"]
    assert accepts(spec, "a" * 53), "64 less the 11 characters of -operations are 53"
    for bad in ("a" * 54, "", "a b", "a:live"):
        assert not accepts(spec, bad), f"accepts {bad!r}"


@promise
def a_step_has_time_to_poll_and_ends_within_the_longest_life_of_a_run(deployed):
    timeout = rotation(deployed.smallest)["Properties"].get("Timeout", 3)
    assert 60 < timeout < 900, f"testSecret polls up to 60 s, the protocol counts on 900 s at most; Timeout is {timeout}"


@promise
def a_pass_has_all_the_time_there_is(deployed):
    has(operations(deployed.smallest)["Properties"], Timeout=900, MemorySize=256)


@promise
def a_failed_pass_is_not_repeated_by_lambda(deployed):
    config = deployed.smallest.properties("AWS::Lambda::EventInvokeConfig")
    has(config, FunctionName=name(operations(deployed.smallest)), Qualifier="$LATEST", MaximumRetryAttempts=0)
    assert config.get("MaximumEventAgeInSeconds", 21_600) <= 3600, "after an hour the next pass is due"


@promise
def only_the_function_for_operations_is_one(deployed):
    for stack in (deployed.smallest, deployed.full):
        has(environment(operations(stack)), ROTATION_FUNCTION_ARN=stack.outputs.get("FunctionArn"))
        has(environment(rotation(stack)), ROTATION_FUNCTION_ARN=None)


@promise
def replaced_keys_live_as_long_as_said_and_between_an_hour_and_90_days(deployed):
    has(environment(operations(deployed.smallest)), GRACE_HOURS="24", ADOPTION_GRACE_HOURS="168")
    has(environment(operations(deployed.full)), GRACE_HOURS="48", ADOPTION_GRACE_HOURS="336")
    for parameter in ("GraceHours", "AdoptionGraceHours"):
        spec = deployed.template["Parameters"][parameter]
        for good in ("1", "2160"):
            assert accepts(spec, good), f"{parameter} refuses {good}"
        for bad in ("0", "2161", "-1"):
            assert not accepts(spec, bad), f"{parameter} accepts {bad}, which the function refuses"


@promise
def keys_are_bound_to_the_egress_addresses(deployed):
    for function in FUNCTIONS:
        has(environment(function(deployed.full)), EGRESS_IPS="52.1.2.3,18.9.8.7")
        assert "EGRESS_IPS" not in environment(function(deployed.smallest)), "without addresses it is left out, not empty"


@promise
def egress_addresses_are_public_single_and_never_guessed(deployed):
    spec = deployed.template["Parameters"]["EgressIps"]
    assert "Default" not in spec, "any default would be somebody else's address"
    for good in ("", "52.1.2.3", "18.0.0.255", "172.15.0.1", "172.32.0.1", "223.255.255.254"):
        assert accepts(spec, good), f"refuses {good!r}"
    for bad in ("10.0.0.1", "192.168.1.1", "172.16.0.1", "172.31.9.9", "127.0.0.1", "169.254.1.1", "0.0.0.0",
                "52.1.2.0/24", "52.1.2", "52.1.2.3.", "52.1.2.3.4", "52.1.2.256", "52.01.2.3", "any", "*", "::1"):
        assert not accepts(spec, bad), f"accepts {bad!r}"


@promise
def requests_go_to_the_fixed_list_of_hosts(deployed):
    for variables in (environment(function(stack)) for stack in (deployed.smallest, deployed.full) for function in FUNCTIONS):
        urls = [name for name in variables if name.endswith("_URL") or "ENDPOINT" in name or "PROXY" in name.upper()]
        assert not urls, f"{urls} would send signed requests elsewhere"


@promise
def the_log_level_is_wired_and_one_the_function_knows(deployed):
    for function in FUNCTIONS:
        has(environment(function(deployed.smallest)), LOG_LEVEL="info")
        has(environment(function(deployed.full)), LOG_LEVEL="debug")
    has(deployed.template["Parameters"]["LogLevel"], AllowedValues=["error", "warn", "info", "debug"])


@promise
def logs_are_json_in_a_group_of_their_own_that_is_kept_over_a_rotation_and_no_longer_than_said(deployed):
    groups = {group["Properties"]["LogGroupName"]: group for group in deployed.full.of_type("AWS::Logs::LogGroup")}
    equal("groups", sorted(groups), sorted(f"/aws/lambda/{name(function(deployed.full))}" for function in FUNCTIONS))
    for function in (rotation(deployed.full), operations(deployed.full)):
        has(function["Properties"].get("LoggingConfig", {}), LogGroup=f"/aws/lambda/{name(function)}", LogFormat="JSON")
    for group in groups.values():
        kept = int(group["Properties"].get("RetentionInDays", 0))
        assert kept >= 90, f"a log that is kept for {kept} days (0: for ever) does not reach back to the last rotation, or never ends"
        has(group, DeletionPolicy="RetainExceptOnCreate", UpdateReplacePolicy="Retain")


@promise
def lambda_filters_no_record_the_function_wrote(deployed):
    for function in FUNCTIONS:
        has(function(deployed.full)["Properties"].get("LoggingConfig", {}), ApplicationLogLevel="DEBUG")


@promise
def nothing_throttles_or_swallows_a_step(deployed):
    for function in (rotation(deployed.full)["Properties"], operations(deployed.full)["Properties"]):
        assert "ReservedConcurrentExecutions" not in function, "low concurrency makes Secrets Manager loop, and is no lock"
        assert "DeadLetterConfig" not in function, "a dead-letter queue never sees a synchronous call: it only looks like an alarm"


@promise
def the_vpc_is_joined_exactly_when_it_is_given(deployed):
    given = {"SubnetIds": ["subnet-0a", "subnet-0b"], "SecurityGroupIds": ["sg-0c"]}
    for function in FUNCTIONS:
        has(function(deployed.smallest)["Properties"], VpcConfig=None)
        has(function(deployed.full)["Properties"], VpcConfig=given)


# --- who may call it --------------------------------------------------------------------------------------------------------


@promise
def only_secrets_manager_of_this_account_may_invoke_the_rotation_function_and_for_any_secret(deployed):
    found = permissions(deployed.smallest, rotation)
    equal("permissions", len(found), 1)
    has(found[0], Principal="secretsmanager.amazonaws.com", Action="lambda:InvokeFunction", SourceAccount=ACCOUNT)
    assert "SourceArn" not in found[0], "a SourceArn pins the function to a single secret"


@promise
def the_rule_alone_may_invoke_the_function_for_operations_without_a_role(deployed):
    for stack in (deployed.smallest, deployed.full):
        found = permissions(stack, operations)
        equal("permissions", [permission.get("Principal") for permission in found], ["events.amazonaws.com"])
        rules = [f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{logical}" for logical, _ in rules_to(stack, arn_of(stack, operations))]
        equal("on behalf of", [found[0].get("SourceArn")], rules)


@promise
def people_on_call_may_invoke_the_function_for_operations_alone(deployed):
    for stack in (deployed.smallest, deployed.full):
        policy = stack.at(stack.outputs.get("OnCallPolicyArn"))
        assert policy, "its ARN is among the outputs"
        may_invoke_operations_alone(stack, listed([policy["Properties"]["PolicyDocument"]]))
        attached = [arn for role in stack.of_type("AWS::IAM::Role") for arn in role["Properties"].get("ManagedPolicyArns", [])]
        assert stack.outputs["OnCallPolicyArn"] not in attached, "it is for people"


@promise
def the_command_that_runs_an_operation_changes_nothing_and_waits_for_the_answer(deployed):
    command = deployed.full.outputs.get("OperationCommand", "")
    assert f"--function-name {name(operations(deployed.full))} " in command, f"{command!r} runs another function"
    payload = re.search(r"--payload '(.*?)'", command)
    assert payload, "it says what to run"
    equal("the payload", payload[1], '{"operation":"maintain","dry_run":true}')
    # Version 2 of the AWS CLI takes a payload for base64 unless told otherwise.
    assert "--cli-binary-format raw-in-base64-out" in command, "the payload is text"
    assert "--cli-read-timeout 0" in command, "after 60 s the AWS CLI gives up waiting, and runs the operation once more"


# --- what they may do -------------------------------------------------------------------------------------------------------


@promise
def each_function_runs_as_its_own_role_with_policies_written_here_and_only_lambda_assumes_it(deployed):
    for stack in (deployed.smallest, deployed.full):
        has(rotation(stack)["Properties"], Role=stack.outputs.get("ExecutionRoleArn"))
        has(operations(stack)["Properties"], Role=stack.outputs.get("OperationsRoleArn"))
        assert stack.outputs["ExecutionRoleArn"] != stack.outputs["OperationsRoleArn"], "one role for two functions"
        for function in FUNCTIONS:
            role = role_of(stack, function)
            foreign = [arn for arn in role.get("ManagedPolicyArns", []) if not stack.at(arn)]
            assert not foreign, f"{foreign} grant what is not written here"
            trust = role.get("AssumeRolePolicyDocument", {}).get("Statement", [])
            equal("who may assume it", [statement.get("Principal") for statement in trust], [{"Service": "lambda.amazonaws.com"}])


@promise
def managed_secrets_are_changed_only_if_attached_to_the_rotation_function(deployed):
    reads = {f"secretsmanager:{action}" for action in ("DescribeSecret", "GetSecretValue", "ListSecretVersionIds")}
    for stack, function in each_role(deployed):
        found = [statement for statement in statements(stack, function) if is_managed(statement)]
        assert found, "nothing is granted on the managed secrets"
        arn = stack.outputs.get("FunctionArn")
        for statement in found:
            # A plan is asked for before a secret is attached.
            if function is operations and not statement.get("Condition") and reads >= set(statement["Action"]):
                continue
            attached = statement.get("Condition", {}).get("ArnLike", {}).get("secretsmanager:resource/AllowRotationLambdaArn")
            # The qualified form is the ARN rotation was attached with, where that was an alias.
            equal("AllowRotationLambdaArn", attached, [arn, f"{arn}:*"])


@promise
def managed_secrets_are_granted_what_the_four_steps_need_and_no_more(deployed):
    needed = ["DescribeSecret", "GetSecretValue", "ListSecretVersionIds", "PutSecretValue", "UpdateSecretVersionStage"]
    for stack in (deployed.smallest, deployed.full):
        equal("granted", granted_on_managed(stack, rotation), [f"secretsmanager:{action}" for action in needed])


@promise
def managed_secrets_are_granted_what_operations_need_and_never_a_new_value(deployed):
    needed = ["DescribeSecret", "GetSecretValue", "ListSecretVersionIds", "RotateSecret", "TagResource", "UpdateSecretVersionStage"]
    for stack in (deployed.smallest, deployed.full):
        equal("granted", sorted(set(granted_on_managed(stack, operations))), [f"secretsmanager:{action}" for action in needed])


@promise
def a_plan_reads_a_secret_that_is_not_attached_yet(deployed):
    for stack in (deployed.smallest, deployed.full):
        free = [s for s in statements(stack, operations) if is_managed(s) and not s.get("Condition")]
        actions = sorted(action for statement in free for action in statement["Action"])
        needed = ["DescribeSecret", "GetSecretValue", "ListSecretVersionIds"]
        equal("granted", actions, [f"secretsmanager:{action}" for action in needed])


@promise
def operations_rotate_with_the_rotation_function_and_attach_no_other(deployed):
    for stack in (deployed.smallest, deployed.full):
        arns = [stack.outputs.get("FunctionArn"), f"{stack.outputs.get('FunctionArn')}:*"]
        invoke = [s for s in statements(stack, operations) if any(action.startswith("lambda:") for action in s["Action"])]
        equal("invoke", [(s["Action"], s["Resource"]) for s in invoke], [(["lambda:InvokeFunction"], arns)])
        for statement in statements(stack, operations):
            if "secretsmanager:RotateSecret" in statement["Action"]:
                attached = statement["Condition"].get("ArnLikeIfExists", {})
                equal("RotationLambdaARN", attached, {"secretsmanager:RotationLambdaARN": arns})


@promise
def a_managed_name_reaches_that_secret_and_not_a_longer_name(deployed):
    def reaches(statement, name):
        return any(like(pattern, f"{SECRET}{name}") for pattern in statement["Resource"])

    for function in FUNCTIONS:
        for stack, names in (
            (deployed.smallest, ["prod/bybit/trading-a1B2c3"]),
            (deployed.full, ["prod/bybit/trading-a1B2c3", "prod/okx/bot-one-a1B2c3"]),
        ):
            for statement in (statement for statement in statements(stack, function) if is_managed(statement)):
                for name in names:
                    assert reaches(statement, name), f"{statement['Action']} does not reach {name}"
                for name in ("prod/bybit/trading-master-a1B2c3", "prod/bybit/master-a1B2c3", "prod/okx/master-a1B2c3"):
                    assert not reaches(statement, name), f"{statement['Action']} reaches {name}"


@promise
def managed_names_are_never_guessed_and_never_everything(deployed):
    spec = deployed.template["Parameters"]["ManagedSecretNames"]
    assert "Default" not in spec, "a default grants too much or nothing"
    for good in ("prod/bybit/trading", "prod/bybit/*", "a,b,c", "prod/*,staging/*", "prod/*/bot-*,a*b"):
        assert accepts(spec, good), f"refuses {good!r}"
    for bad in ("", "*", "*/trading", "a,*", "a,b,c,d", "a, b", "a,", f"{SECRET}a-a1B2c3", "a-??????", "a/**"):
        assert not accepts(spec, bad), f"accepts {bad!r}"


@promise
def masters_are_read_by_exact_arn_in_their_current_version_and_nothing_else(deployed):
    current = {"ForAnyValue:StringEquals": {"secretsmanager:VersionStage": "AWSCURRENT"}}
    wanted = {rotation: {"GetSecretValue": current}, operations: {"GetSecretValue": current, "DescribeSecret": {}}}
    for function in FUNCTIONS:
        found = [statement for statement in statements(deployed.smallest, function) if is_master(statement)]
        equal("statements where there are no masters", found, [])
        found = [statement for statement in statements(deployed.full, function) if is_master(statement)]
        for statement in found:
            has(statement, Resource=FULL["MasterSecretArns"].split(","))
        granted = [(action, statement["Condition"]) for statement in found for action in statement["Action"]]
        wanted_here = [(f"secretsmanager:{action}", condition) for action, condition in wanted[function].items()]
        equal("granted on masters", sorted(granted, key=str), sorted(wanted_here, key=str))


@promise
def a_master_is_named_by_its_full_arn_without_wildcards(deployed):
    spec = deployed.template["Parameters"]["MasterSecretArns"]
    has(spec, Default="")
    for good in ("", f"{SECRET}prod/bybit/master-a1B2c3", f"{SECRET}m-a1B2c3".replace("arn:aws:", "arn:aws-us-gov:")):
        assert accepts(spec, good), f"refuses {good!r}"
    for bad in ("*", f"{SECRET}*", f"{SECRET}prod/bybit/master-*", f"{SECRET}prod/bybit/master-??????",
                f"{SECRET}prod/bybit/master", "prod/bybit/master", f"{SECRET}m-a1B2c3".replace(ACCOUNT, "*")):
        assert not accepts(spec, bad), f"accepts {bad!r}"


# What Lambda's attachment to a VPC asks for on all resources.
NETWORK_INTERFACES = {
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
}


@promise
def nothing_is_granted_on_every_resource_but_listing_secrets_and_network_interfaces(deployed):
    for stack in (deployed.smallest, deployed.full):
        for statement in all_statements(stack):
            inverted = set(statement) & {"NotAction", "NotResource"}
            assert not inverted, f"{inverted} grants all that nobody listed"
            wide = [action for action in statement["Action"] if "*" in action]
            assert not wide, f"{wide} grants actions that nobody listed"
            # `arn:…:secret:*` and `arn:…:secret:*-??????` are as wide as a lone star.
            everything = [arn for arn in statement["Resource"] if re.search(r"(^|[:/])\*(-\?{6})?$", arn) and arn not in narrow(stack)]
            if statement["Effect"] == "Allow" and everything:
                extra = set(statement["Action"]) - NETWORK_INTERFACES - {"secretsmanager:ListSecrets"}
                assert not extra, f"{sorted(extra)} on {everything}"


@promise
def only_operations_list_secrets_and_learn_no_value_by_it(deployed):
    for stack in (deployed.smallest, deployed.full):
        for function, wanted in ((rotation, []), (operations, [(["secretsmanager:ListSecrets"], ["*"])])):
            found = [s for s in statements(stack, function) if "secretsmanager:ListSecrets" in s["Action"]]
            equal("listing", [(statement["Action"], statement["Resource"]) for statement in found], wanted)


@promise
def network_interfaces_are_lambdas_business_and_only_in_a_vpc(deployed):
    def about_ec2(stack, function, effect):
        about = [s for s in statements(stack, function) if any(action.startswith("ec2:") for action in s["Action"])]
        return [statement for statement in about if statement["Effect"] == effect]

    for function in FUNCTIONS:
        assert not about_ec2(deployed.smallest, function, "Allow"), "outside a VPC there is nothing to attach"
        allowed = {action for statement in about_ec2(deployed.full, function, "Allow") for action in statement["Action"]}
        equal("allowed", allowed, NETWORK_INTERFACES)
        denied = [
            statement for statement in about_ec2(deployed.full, function, "Deny")
            if set(statement["Condition"]) == {"ArnEquals"}
            and arn_of(deployed.full, function) in as_list(statement["Condition"]["ArnEquals"]["lambda:SourceFunctionArn"])
        ]
        equal("denied to the function's own code", {action for statement in denied for action in statement["Action"]}, allowed)


@promise
def the_kms_key_opens_the_granted_secrets_through_secrets_manager_and_nothing_else(deployed):
    def about_kms(stack, function):
        return [s for s in statements(stack, function) if any(action.startswith("kms:") for action in s["Action"])]

    # By this a plan tells whether a secret's key is the one that is granted.
    has(environment(operations(deployed.full)), KMS_KEY_ARN=FULL["KmsKeyArn"])
    has(environment(operations(deployed.smallest)), KMS_KEY_ARN=None)
    masters = FULL["MasterSecretArns"].split(",")
    for function in FUNCTIONS:
        assert not about_kms(deployed.smallest, function), "no key, no statement"
        managed = {arn for statement in statements(deployed.full, function) if is_managed(statement) for arn in statement["Resource"]}
        granted = set()
        for statement in about_kms(deployed.full, function):
            has(statement, Resource=[FULL["KmsKeyArn"]])
            equals = statement["Condition"].get("StringEquals", {})
            equal("kms:ViaService", equals.get("kms:ViaService"), f"secretsmanager.{REGION}.amazonaws.com")
            exact = equals.get("kms:EncryptionContext:SecretARN", [])
            patterns = statement["Condition"].get("StringLike", {}).get("kms:EncryptionContext:SecretARN", [])
            granted.update((action, "masters" if exact else "managed") for action in statement["Action"])
            if statement["Action"] == ["kms:DescribeKey"]:
                # It has no encryption context: bound to one, it would never be granted.
                equal("DescribeKey's encryption context", (exact, patterns), ([], []))
            elif exact:
                equal("masters' encryption context", (exact, patterns), (masters, []))
            else:
                equal("managed secrets' encryption context", set(patterns), managed)
        on_managed = {(f"kms:{action}", "managed") for action in ("Decrypt", "DescribeKey", "GenerateDataKey")}
        equal("granted", granted, {("kms:Decrypt", "masters"), *on_managed})


@promise
def each_function_writes_to_its_own_log_group_only(deployed):
    for stack, function in each_role(deployed):
        about_logs = [s for s in statements(stack, function) if any(action.startswith("logs:") for action in s["Action"])]
        for statement in about_logs:
            group = f"/aws/lambda/{name(function(stack))}"
            equal("where", statement["Resource"], [f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:*"])
        granted = sorted(action for statement in about_logs for action in statement["Action"])
        equal("granted", granted, ["logs:CreateLogStream", "logs:PutLogEvents"])


@promise
def nothing_else_is_granted(deployed):
    for stack in (deployed.smallest, deployed.full):
        for function, wanted in ((rotation, set()), (operations, {"lambda"})):
            services = {action.split(":")[0] for statement in statements(stack, function) for action in statement["Action"]}
            extra = services - {"secretsmanager", "kms", "logs", "ec2"} - wanted
            assert not extra, f"unexpected: {sorted(extra)}"


# --- when it rotates --------------------------------------------------------------------------------------------------------


@promise
def deploying_rotates_nothing(deployed):
    assert not deployed.smallest.of_type("AWS::SecretsManager::RotationSchedule"), "no secret named, none attached"
    schedule = deployed.full.properties("AWS::SecretsManager::RotationSchedule")
    assert schedule.get("RotateImmediatelyOnUpdate") is False, "left out it is true, and attaching issues a key"
    assert "--no-rotate-immediately" in deployed.full.outputs.get("AttachCommand", ""), "the command attaches without rotating"


@promise
def a_schedule_and_its_window_are_ones_secrets_manager_takes(deployed):
    rules = deployed.full.properties("AWS::SecretsManager::RotationSchedule").get("RotationRules", {})
    assert_valid(rules)
    command = re.search(r"--rotation-rules '(.*?)'", deployed.full.outputs.get("AttachCommand", ""))
    assert command, "the command that attaches names its rules"
    equal("the command's rules", json.loads(command[1]), rules)


@promise
def the_schedule_attaches_this_function_once_it_may_be_invoked(deployed):
    schedule = deployed.full.of_type("AWS::SecretsManager::RotationSchedule")
    assert schedule, "a secret was named, and nothing attaches it"
    has(schedule[0]["Properties"], SecretId=FULL["ScheduledSecretArn"], RotationLambdaARN=arn_of(deployed.full, rotation))
    waits = schedule[0].get("DependsOn", [])
    waits = {waits} if isinstance(waits, str) else set(waits)
    kinds = {deployed.full.resources[name]["Type"] for name in waits}
    assert "AWS::Lambda::Permission" in kinds, "attached before the permission exists, the dry run can't call the function"


@promise
def no_secret_is_made_or_overwritten_by_a_deployment(deployed):
    kinds = {resource["Type"] for resource in deployed.template["Resources"].values()}
    assert "AWS::SecretsManager::Secret" not in kinds, "a value in a template puts an old key back as the current one"


# --- when operations run ----------------------------------------------------------------------------------------------------


@promise
def every_part_of_the_secrets_is_looked_after_every_hour(deployed):
    for stack, parts in ((deployed.smallest, 1), (deployed.quiet, 2), (deployed.full, 4)):
        schedules = scheduled(stack, "maintain")
        shards = [json.loads(schedule["Target"]["Input"]) for schedule in schedules]
        wanted = [{"operation": "maintain", "shard": f"{part}/{parts}"} for part in range(1, parts + 1)]
        equal("what runs", sorted(shards, key=str), wanted)
        crons = [re.fullmatch(r"cron\((\d+) \* \* \* \? \*\)", schedule["ScheduleExpression"]) for schedule in schedules]
        assert all(crons), f"{[schedule['ScheduleExpression'] for schedule in schedules]} are not each once an hour"
        minutes = sorted(int(cron[1]) for cron in crons)
        equal("minutes", minutes, [part * 60 // parts for part in range(parts)])


@promise
def all_secrets_are_audited_once_a_day(deployed):
    for stack in (deployed.smallest, deployed.full):
        schedules = scheduled(stack, "audit")
        equal("what runs", [json.loads(schedule["Target"]["Input"]) for schedule in schedules], [{"operation": "audit", "format": "findings"}])
        expression = schedules[0]["ScheduleExpression"]
        assert re.fullmatch(r"cron\(\d+ \d+ \* \* \? \*\)", expression), f"{expression} is not once a day"


@promise
def schedules_call_the_function_for_operations_and_leave_retries_to_the_next_hour(deployed):
    for stack in (deployed.smallest, deployed.full):
        for schedule in (schedule["Properties"] for schedule in stack.of_type("AWS::Scheduler::Schedule")):
            has(schedule["Target"], Arn=arn_of(stack, operations), RetryPolicy={"MaximumRetryAttempts": 0})
            window = schedule["FlexibleTimeWindow"]
            has(window, Mode="FLEXIBLE")
            assert window["MaximumWindowInMinutes"] <= 15, "two passes over the same secrets could come close to each other"


@promise
def operations_run_by_themselves_unless_switched_off(deployed):
    for parameter in ("MaintainSchedule", "AuditSchedule"):
        has(deployed.template["Parameters"][parameter], Default="ENABLED", AllowedValues=["ENABLED", "DISABLED"])
    for operation, parameter in (("maintain", "MaintainSchedule"), ("audit", "AuditSchedule")):
        for state in ("ENABLED", "DISABLED"):
            stack = deployed.with_arguments(**{parameter: state})
            equal(operation, {schedule.get("State", "ENABLED") for schedule in scheduled(stack, operation)}, {state})
            if operation == "maintain":
                equal("the rule", moved_label_rule(stack).get("State", "ENABLED"), state)


@promise
def schedules_may_invoke_the_function_for_operations_alone_and_no_other_schedule_may(deployed):
    for stack in (deployed.smallest, deployed.full):
        schedules = [schedule["Properties"] for schedule in stack.of_type("AWS::Scheduler::Schedule")]
        groups = [logical for logical, resource in stack.resources.items() if resource["Type"] == "AWS::Scheduler::ScheduleGroup"]
        equal("groups", [groups] * len(schedules), [[schedule.get("GroupName")] for schedule in schedules])
        for arn in {schedule["Target"].get("RoleArn") for schedule in schedules}:
            role = stack.at(arn)
            assert role, "they run with a role that is not written here"
            role = role["Properties"]
            assert not role.get("ManagedPolicyArns"), "one statement is all there is"
            may_invoke_operations_alone(stack, listed([policy["PolicyDocument"] for policy in role["Policies"]]))
            source = {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule-group/{groups[0]}"}
            trust = [{"Principal": {"Service": "scheduler.amazonaws.com"}, "Condition": {"StringEquals": source}}]
            found = role["AssumeRolePolicyDocument"]["Statement"]
            equal("who may assume it", [{key: s.get(key) for key in ("Principal", "Condition")} for s in found], trust)


@promise
def a_label_that_a_person_moves_has_its_secret_looked_after_and_our_stamps_have_not(deployed):
    for stack in (deployed.smallest, deployed.full, deployed.quiet):
        pattern = moved_label_rule(stack).get("EventPattern", {})
        has(pattern, source=["aws.secretsmanager"], **{"detail-type": ["Secret Label Updated"]})
        has(pattern.get("detail", {}), labelUpdated=["AWSCURRENT", "COMPROMISED", "CANDIDATE"])
        # Each name once, and none that is empty.
        names = [{"wildcard": name} for name in stack.parameters["ManagedSecretNames"].split(",")]
        has(pattern["detail"], name=names)


@promise
def the_rule_says_which_secret_and_nothing_else(deployed):
    target, = moved_label_rule(deployed.full).get("Targets", [])
    transformer = target.get("InputTransformer", {})
    event = {"$.detail.name": "prod/bybit/trading", "$.detail.labelUpdated": "AWSCURRENT", "$.detail.versionId": "v"}
    text = transformer.get("InputTemplate", "null")
    for variable, path in transformer.get("InputPathsMap", {}).items():
        text = text.replace(f"<{variable}>", json.dumps(event[path]))
    equal("what runs", json.loads(text), {"operation": "maintain", "secret": "prod/bybit/trading"})
    # Left out, what can't be delivered is tried for a day.
    assert target.get("RetryPolicy", {}).get("MaximumEventAgeInSeconds", 86_400) <= 3600, "after an hour the schedule has been there"


# --- who hears of a failure -------------------------------------------------------------------------------------------------


@promise
def one_failed_step_raises_the_alarm(deployed):
    for stack in (deployed.smallest, deployed.full):
        one_raises(alarm(stack, "FailedStepAlarm"), "AWS/Lambda", "Errors", name(rotation(stack)))


@promise
def one_failed_operation_raises_the_alarm(deployed):
    for stack in (deployed.smallest, deployed.full):
        one_raises(alarm(stack, "FailedOperationAlarm"), "AWS/Lambda", "Errors", name(operations(stack)))


@promise
def one_pass_that_was_not_done_raises_the_alarm(deployed):
    failed = '{ ($.type = "operation") && ($.outcome = "failed") && (($.operation = "maintain") || ($.operation = "audit")) }'
    for stack in (deployed.smallest, deployed.full):
        namespace, metric = counted(stack, failed)
        one_raises(alarm(stack, "FailedPassAlarm"), namespace, metric, None)


@promise
def one_finding_that_pages_raises_the_alarm(deployed):
    for stack in (deployed.smallest, deployed.full):
        namespace, metric = counted(stack, '{ ($.type = "finding") && ($.severity = "page") }')
        one_raises(alarm(stack, "PageFindingAlarm"), namespace, metric, None)


@promise
def three_hours_without_a_pass_raise_the_alarm_where_passes_are_scheduled(deployed):
    for stack in (deployed.smallest, deployed.full):
        completed = (
            '{ ($.type = "operation") && ($.operation = "maintain") && ($.outcome != "failed")'
            ' && ($.dry_run IS FALSE) && ($.shard = "*") }'
        )
        namespace, metric = counted(stack, completed, Dimensions=[{"Key": "shard", "Value": "$.shard"}])
        shards = scheduled_shards(stack)
        alarms = [found["Properties"] for found in stack.of_type("AWS::CloudWatch::Alarm")]
        alarms = {found["Dimensions"][0]["Value"]: found for found in alarms if found.get("MetricName") == metric}
        equal("shards that are missed", sorted(alarms), sorted(shards))
        for shard, found in alarms.items():
            has(found, Namespace=namespace, Dimensions=[{"Name": "shard", "Value": shard}], Statistic="Sum")
            has(found, ComparisonOperator="LessThanThreshold", Threshold=1, DatapointsToAlarm=None, TreatMissingData="breaching")
            equal("seconds", found["Period"] * found["EvaluationPeriods"], 3 * 3600)
            # CloudWatch looks some periods further back before it takes data for missing: hours, where a period is one.
            assert found["Period"] <= 900, "the alarm would come hours late"
    assert "MaintainMissingAlarm" not in deployed.quiet.resources, "a schedule that is switched off is not missed"


@promise
def every_alarm_reaches_the_topic(deployed):
    alarms = deployed.full.of_type("AWS::CloudWatch::Alarm")
    equal("alarms", len(alarms), 4 + len(scheduled_shards(deployed.full)))
    for found in alarms:
        has(found["Properties"], AlarmActions=[FULL["AlarmTopicArn"]])
        assert found["Properties"].get("ActionsEnabled", True), "an alarm whose actions are off tells nobody"
    for found in deployed.smallest.of_type("AWS::CloudWatch::Alarm"):
        has(found["Properties"], AlarmActions=None)


@promise
def each_stack_counts_for_itself(deployed):
    # Metrics of a namespace have no owner: two stacks with one name for them would hear of each other's findings.
    def metrics(stack):
        filters = [found["Properties"]["MetricTransformations"] for found in stack.of_type("AWS::Logs::MetricFilter")]
        return {(transformation["MetricNamespace"], transformation["MetricName"]) for found in filters for transformation in found}

    equal("shared by stacks of other names", metrics(deployed.smallest) & metrics(deployed.full), set())


@promise
def rotations_that_fail_outside_the_function_reach_the_topic(deployed):
    others = [logical for logical, rule in rules(deployed.smallest) if moved_label_rule(deployed.smallest) is not rule]
    equal("rules where there is no topic", others, [])
    rule = next((rule for _, rule in rules(deployed.full) if moved_label_rule(deployed.full) is not rule), {})
    equal("State", rule.get("State", "ENABLED"), "ENABLED")
    has(rule.get("EventPattern", {}), source=["aws.secretsmanager"], **{"detail-type": ["AWS Service Event via CloudTrail"]})
    has(
        rule["EventPattern"].get("detail", {}),
        eventSource=["secretsmanager.amazonaws.com"],
        eventName=["RotationFailed", "TestRotationFailed", "RotationAbandoned"],
    )
    targets = rule.get("Targets", [])
    equal("targets", [target.get("Arn") for target in targets], [FULL["AlarmTopicArn"]])
    assert not any("RoleArn" in target for target in targets), "delivery to a topic may fail where a role is given"


# --- helpers ----------------------------------------------------------------------------------------------------------------


def equal(what, found, wanted):
    assert found == wanted, f"{what}: {found!r}, wanted {wanted!r}"


def has(found, **wanted):
    """Each of these keys has this value; None for a key that must not be there."""
    for key, value in wanted.items():
        equal(key, found.get(key), value)


def rotation(stack):
    """The function that secrets are attached to."""
    return named(stack, stack.parameters["FunctionName"])


def operations(stack):
    return named(stack, f"{stack.parameters['FunctionName']}-operations")


FUNCTIONS = (rotation, operations)


def named(stack, function_name):
    found = [function for function in stack.of_type("AWS::Lambda::Function") if name(function) == function_name]
    equal(f"functions called {function_name}", len(found), 1)
    return found[0]


def name(function):
    return function["Properties"].get("FunctionName")


def arn_of(stack, function):
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name(function(stack))}"


def environment(function):
    return function["Properties"].get("Environment", {}).get("Variables", {})


def permissions(stack, function):
    """Who may invoke it, by the function's own policy."""
    found = [permission["Properties"] for permission in stack.of_type("AWS::Lambda::Permission")]
    return [permission for permission in found if permission["FunctionName"] in (arn_of(stack, function), name(function(stack)))]


def rules(stack):
    found = [(logical, resource) for logical, resource in stack.resources.items() if resource["Type"] == "AWS::Events::Rule"]
    return [(logical, resource["Properties"]) for logical, resource in found]


def rules_to(stack, arn):
    return [(logical, rule) for logical, rule in rules(stack) if arn in [target.get("Arn") for target in rule.get("Targets", [])]]


def moved_label_rule(stack):
    found = rules_to(stack, arn_of(stack, operations))
    equal("rules that call the function for operations", len(found), 1)
    return found[0][1]


def scheduled(stack, operation):
    schedules = [schedule["Properties"] for schedule in stack.of_type("AWS::Scheduler::Schedule")]
    return [schedule for schedule in schedules if json.loads(schedule["Target"].get("Input", "{}")).get("operation") == operation]


def may_invoke_operations_alone(stack, found):
    wanted = [("Allow", ["lambda:InvokeFunction"], [arn_of(stack, operations)])]
    equal("what it may do", [(s["Effect"], s["Action"], s["Resource"]) for s in found], wanted)


def alarm(stack, logical):
    assert logical in stack.resources, f"there is no {logical}"
    return stack.resources[logical]["Properties"]


def one_raises(found, namespace, metric, function_name):
    has(found, Namespace=namespace, MetricName=metric, Statistic="Sum")
    has(found, Dimensions=[{"Name": "FunctionName", "Value": function_name}] if function_name else None)
    has(found, ComparisonOperator="GreaterThanOrEqualToThreshold", Threshold=1, EvaluationPeriods=1)
    # A function that rests is not in alarm.
    has(found, TreatMissingData="notBreaching")


def scheduled_shards(stack):
    """The shards that a schedule has maintain pass over."""
    inputs = [json.loads(found["Properties"]["Target"]["Input"]) for found in stack.of_type("AWS::Scheduler::Schedule")]
    return [event["shard"] for event in inputs if event["operation"] == "maintain"]


def counted(stack, pattern, **more):
    """Namespace and name of the metric that counts these lines in the log of the function for operations."""
    filters = [found["Properties"] for found in stack.of_type("AWS::Logs::MetricFilter")]
    found = [found for found in filters if found.get("FilterPattern") == pattern]
    equal(f"filters for {pattern}", len(found), 1)
    has(found[0], LogGroupName=f"/aws/lambda/{name(operations(stack))}")
    transformation, = found[0]["MetricTransformations"]
    has(transformation, MetricNamespace="ExchangeKeyRotation", MetricValue="1", **more)
    return transformation["MetricNamespace"], transformation["MetricName"]


def role_of(stack, function):
    role = stack.at(function(stack)["Properties"].get("Role"))
    assert role, "it runs as a role that is not written here"
    return role["Properties"]


def each_role(deployed):
    return [(stack, function) for stack in (deployed.smallest, deployed.full) for function in FUNCTIONS]


def statements(stack, function):
    """Every statement that the function's role has, inline and by a managed policy of this stack."""
    role = role_of(stack, function)
    managed = [stack.at(arn) for arn in role.get("ManagedPolicyArns", [])]
    documents = [policy["PolicyDocument"] for policy in role.get("Policies", [])]
    documents += [policy["Properties"]["PolicyDocument"] for policy in managed if policy]
    return listed(documents)


def all_statements(stack):
    """Every statement of every policy that the stack holds for an identity, attached or not."""
    roles = [resource["Properties"] for resource in stack.of_type("AWS::IAM::Role")]
    documents = [policy["PolicyDocument"] for role in roles for policy in role.get("Policies", [])]
    for kind in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"):
        documents += [resource["Properties"]["PolicyDocument"] for resource in stack.of_type(kind)]
    return listed(documents)


def listed(documents):
    """The statements, their actions and resources as lists."""
    return [
        {
            **statement,
            "Action": as_list(statement.get("Action", [])),
            "Resource": as_list(statement.get("Resource", [])),
            "Condition": statement.get("Condition", {}),
        }
        for document in documents for statement in as_list(document["Statement"])
    ]


def granted_on_managed(stack, function):
    return sorted(action for statement in statements(stack, function) if is_managed(statement) for action in statement["Action"])


def narrow(stack):
    """ARNs that end in a star and are narrow all the same: a log group's streams, a function's aliases."""
    groups = [f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/{name(function(stack))}:*" for function in FUNCTIONS]
    return [*groups, f"{arn_of(stack, rotation)}:*"]


def as_list(value):
    return value if isinstance(value, list) else [value]


def about_secrets(statement):
    return any(action.lower().startswith(("secretsmanager:", "*")) for action in statement["Action"])


def is_master(statement):
    """About master secrets: it says so by naming one, or by the condition that only they have."""
    named = set(statement["Resource"]) & set(FULL["MasterSecretArns"].split(","))
    return about_secrets(statement) and bool(named or "secretsmanager:VersionStage" in json.dumps(statement["Condition"]))


def is_managed(statement):
    """Any other statement about secrets but the listing, so that one added later has to bear the condition too."""
    return about_secrets(statement) and not is_master(statement) and statement["Action"] != ["secretsmanager:ListSecrets"]


def like(pattern, text):
    """IAM's wildcards."""
    return re.fullmatch("".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern), text) is not None


def assert_valid(rules):
    """Secrets Manager's limits: 4 hours to 1,000 days, and a window that ends before the next one and before the UTC day does."""
    days, expression = rules.get("AutomaticallyAfterDays"), rules.get("ScheduleExpression")
    assert (days is None) != (expression is None), "exactly one of AutomaticallyAfterDays and ScheduleExpression"
    hours = days * 24 if days is not None else interval_in_hours(expression)
    assert 4 <= hours <= 24_000, f"{hours} hours between rotations"
    window = re.fullmatch(r"([1-9][0-9]?)h", rules.get("Duration", ""))
    assert window, f"Duration {rules.get('Duration')!r} is not a number of hours like 4h"
    assert int(window[1]) <= 24, "the window reaches into the next UTC day"
    assert int(window[1]) < hours, "the window reaches into the next one"


def interval_in_hours(expression):
    """The shortest time between two rotations."""
    rate = re.fullmatch(r"rate\(([1-9][0-9]*) (hours?|days?)\)", expression)
    if rate:
        count, unit = int(rate[1]), rate[2]
        assert unit.endswith("s") == (count > 1), f"{expression}: one hour, two hours"
        return count * (24 if unit.startswith("day") else 1)
    cron = re.fullmatch(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)", expression)
    assert cron, f"{expression!r} is neither rate(…) nor cron(…) with six fields"
    minutes, hours, day_of_month, _, day_of_week, year = cron.groups()
    equal("minutes and year", (minutes, year), ("0", "*"))
    assert (day_of_month == "?") != (day_of_week == "?"), "one of day-of-month and day-of-week has to be ?"
    fires = sorted(hours_of(hours))
    return min(later - earlier for earlier, later in zip(fires, fires[1:] + [fires[0] + 24]))


def hours_of(field):
    """The hours a cron field names: 8, 0,12, */4, 2/8."""
    if "/" in field:
        start, step = field.split("/")
        assert step.isdigit() and int(step) > 0 and (start == "*" or start.isdigit()), f"hours {field!r}"
        return set(range(0 if start == "*" else int(start), 24, int(step)))
    if field == "*":
        return set(range(24))
    assert all(hour.isdigit() and int(hour) < 24 for hour in field.split(",")), f"hours {field!r}"
    return {int(hour) for hour in field.split(",")}
