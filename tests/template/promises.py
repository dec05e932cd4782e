"""What the deployed stack must and must not be. Each promise is a function whose name says it; it fails by assertion."""

import json
import re

from cloudformation import ACCOUNT, CHINA, FULL, REGION, SECRET, accepts

PROMISES = []


def promise(check):
    PROMISES.append(check)
    return check


# --- the functions ----------------------------------------------------------------------------------------------------------


@promise
def every_function_runs_the_arm64_binary_on_provided_al2023_built_once(deployed):
    for function in (function(deployed.smallest) for function in FUNCTIONS):
        has(function["Properties"], Architectures=["arm64"], Runtime="provided.al2023", Handler="bootstrap")
        has(function.get("Metadata", {}), BuildMethod="rust-cargolambda", BuildProperties={"Binary": "exchange-key-rotation"})
        # `sam build` takes what differs in any word for another build.
        equal("metadata", function["Metadata"], rotation(deployed.smallest)["Metadata"])


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
def a_pass_and_an_order_have_all_the_time_there_is(deployed):
    for function in OPERATING:
        has(function(deployed.smallest)["Properties"], Timeout=900, MemorySize=256)


@promise
def a_failed_pass_and_a_failed_order_are_not_repeated_by_lambda(deployed):
    found = [config["Properties"] for config in deployed.smallest.of_type("AWS::Lambda::EventInvokeConfig")]
    names = sorted(name(function(deployed.smallest)) for function in OPERATING)
    equal("functions", sorted(config["FunctionName"] for config in found), names)
    for config in found:
        has(config, Qualifier="$LATEST", MaximumRetryAttempts=0)
        assert config.get("MaximumEventAgeInSeconds", 21_600) <= 3600, "an hour later the next pass is due, and the order is old"


@promise
def each_function_knows_by_its_environment_which_of_the_three_it_is_and_who_does_the_rest(deployed):
    for stack in (deployed.smallest, deployed.full):
        arns = {of: stack.outputs.get(f"{of.title()}FunctionArn") for of in ("", "operations", "emergency")}
        known = {
            rotation: {},
            operations: {"ROTATION_FUNCTION_ARN": arns[""], "EMERGENCY_FUNCTION_ARN": arns["emergency"]},
            # What makes it the emergency function is that it knows the operations function.
            emergency: {"ROTATION_FUNCTION_ARN": arns[""], "OPERATIONS_FUNCTION_ARN": arns["operations"]},
        }
        for function, wanted in known.items():
            variables = environment(function(stack))
            equal("knows", {key: arn for key, arn in variables.items() if key.endswith("_FUNCTION_ARN")}, wanted)


@promise
def replaced_keys_live_as_long_as_said_and_between_an_hour_and_90_days(deployed):
    for function in OPERATING:
        has(environment(function(deployed.smallest)), GRACE_HOURS="24", ADOPTION_GRACE_HOURS="168")
        has(environment(function(deployed.full)), GRACE_HOURS="48", ADOPTION_GRACE_HOURS="336")
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
    for function in (function(deployed.full) for function in FUNCTIONS):
        has(function["Properties"].get("LoggingConfig", {}), LogGroup=f"/aws/lambda/{name(function)}", LogFormat="JSON")
    told = [deployed.full.outputs.get(f"{of}LogGroupName") for of in ("", "Operations", "Emergency")]
    equal("groups among the outputs", told, [f"/aws/lambda/{name(function(deployed.full))}" for function in FUNCTIONS])
    for group in groups.values():
        kept = int(group["Properties"].get("RetentionInDays", 0))
        assert kept >= 90, f"a log that is kept for {kept} days (0: for ever) does not reach back to the last rotation, or never ends"
        has(group, DeletionPolicy="RetainExceptOnCreate", UpdateReplacePolicy="Retain")


@promise
def lambda_filters_no_record_the_function_wrote(deployed):
    for function in FUNCTIONS:
        has(function(deployed.full)["Properties"].get("LoggingConfig", {}), ApplicationLogLevel="DEBUG")


@promise
def nothing_throttles_or_swallows_a_step_or_an_order(deployed):
    for function in (function(deployed.full)["Properties"] for function in FUNCTIONS):
        assert "DeadLetterConfig" not in function, "a dead-letter queue never sees a synchronous call: it only looks like an alarm"
    for function in (rotation(deployed.full)["Properties"], emergency(deployed.full)["Properties"]):
        assert "ReservedConcurrentExecutions" not in function, "low concurrency makes Secrets Manager loop, and is no lock"


@promise
def concurrency_is_reserved_for_operations_if_somebody_asks_for_it(deployed):
    has(operations(deployed.smallest)["Properties"], ReservedConcurrentExecutions=None)
    has(operations(deployed.full)["Properties"], ReservedConcurrentExecutions=FULL["OperationsConcurrency"])
    spec = deployed.template["Parameters"]["OperationsConcurrency"]
    has(spec, Default="")
    for good in ("", "3", "6", "1000", "9999"):
        assert accepts(spec, good), f"refuses {good!r}"
    # None at all would switch the function off.
    for bad in ("0", "06", "10000", "-1", "1.5", "all", " "):
        assert not accepts(spec, bad), f"accepts {bad!r}"
    # What has to be known where it is given.
    for said in ("storm", "MaintainShards plus 2", "100"):
        assert said in spec.get("Description", ""), f"the description does not say {said!r}"


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
def no_service_may_invoke_the_operations_function_or_the_emergency_function_without_a_role(deployed):
    for stack in (deployed.smallest, deployed.full):
        for function in OPERATING:
            equal("permissions", permissions(stack, function), [])


@promise
def people_on_call_alone_may_invoke_the_emergency_function_and_no_event_does(deployed):
    for stack in (deployed.smallest, deployed.full, deployed.quiet):
        arn, for_people = arn_of(stack, emergency), stack.at(stack.outputs.get("OnCallPolicyArn"))
        assert for_people, "there is no policy for people on call"
        for resource in stack.resources.values():
            if resource is not for_people:
                found = invoking(listed(policy_documents(resource)), arn)
                assert not found, f"{[statement.get('Sid') for statement in found]} of a {resource['Type']} may invoke it"
        targets = [target.get("Arn") for _, rule in rules(stack) for target in rule.get("Targets", [])]
        targets += [schedule["Properties"]["Target"]["Arn"] for schedule in stack.of_type("AWS::Scheduler::Schedule")]
        targets += [mapping["Properties"]["FunctionName"] for mapping in stack.of_type("AWS::Lambda::EventSourceMapping")]
        assert not {arn, name(emergency(stack))} & set(targets), "an event invokes it"


@promise
def people_on_call_may_invoke_the_operations_function_and_the_emergency_function_and_nothing_else(deployed):
    for stack in (deployed.smallest, deployed.full):
        policy = stack.at(stack.outputs.get("OnCallPolicyArn"))
        assert policy, "its ARN is among the outputs"
        may_invoke(stack, listed([policy["Properties"]["PolicyDocument"]]), OPERATING)
        attached = [arn for role in stack.of_type("AWS::IAM::Role") for arn in role["Properties"].get("ManagedPolicyArns", [])]
        assert stack.outputs["OnCallPolicyArn"] not in attached, "it is for people"


@promise
def the_command_that_runs_an_operation_changes_nothing_and_waits_for_the_answer(deployed):
    payload = payload_of(deployed.full, "OperationCommand", operations)
    equal("the payload", payload, {"operation": "maintain", "dry_run": True})


@promise
def the_command_that_breaks_the_glass_does_it_for_no_secret_until_somebody_names_one(deployed):
    placeholders = {"secret": "SECRET", "reason": "REASON", "incident": "INCIDENT"}
    payload = payload_of(deployed.full, "BreakGlassCommand", emergency)
    equal("the payload", payload, {"operation": "break_glass", **placeholders})


# --- what they may do -------------------------------------------------------------------------------------------------------


@promise
def each_function_runs_as_its_own_role_with_policies_written_here_and_only_lambda_assumes_it(deployed):
    for stack in (deployed.smallest, deployed.full):
        roles = {function: stack.outputs.get(output) for function, output in ROLES.items()}
        equal("roles", len(set(roles.values())), len(FUNCTIONS))
        for function, role in roles.items():
            has(function(stack)["Properties"], Role=role)
        for function in FUNCTIONS:
            role = role_of(stack, function)
            foreign = [arn for arn in role.get("ManagedPolicyArns", []) if not stack.at(arn)]
            assert not foreign, f"{foreign} grant what is not written here"
            trust = role.get("AssumeRolePolicyDocument", {}).get("Statement", [])
            equal("who may assume it", [statement.get("Principal") for statement in trust], [{"Service": "lambda.amazonaws.com"}])


@promise
def managed_secrets_are_changed_only_if_attached_to_the_rotation_function(deployed):
    for stack, function in each_role(deployed):
        found = [statement for statement in statements(stack, function) if is_managed(statement)]
        assert found, "nothing is granted on the managed secrets"
        for statement in found:
            # A plan is asked for before a secret is attached, and an order asks who else has the leaked key.
            if all(UNATTACHED[function].get(action) == statement["Condition"] for action in statement["Action"]):
                continue
            equal("AllowRotationLambdaArn", attached_to(statement), with_any_alias(stack))


@promise
def managed_secrets_are_granted_what_the_four_steps_need_and_no_more(deployed):
    needed = ["DescribeSecret", "GetSecretValue", "ListSecretVersionIds", "PutSecretValue", "UpdateSecretVersionStage"]
    for stack in (deployed.smallest, deployed.full):
        equal("granted", granted_on_managed(stack, rotation), [f"secretsmanager:{action}" for action in needed])


@promise
def managed_secrets_are_granted_what_operations_need_and_never_a_new_value(deployed):
    needed = ["DescribeSecret", "GetSecretValue", "ListSecretVersionIds", "RotateSecret", "TagResource", "UpdateSecretVersionStage"]
    for stack in (deployed.smallest, deployed.full):
        for function in OPERATING:
            granted = sorted(set(granted_on_managed(stack, function)))
            equal("granted", granted, [f"secretsmanager:{action}" for action in needed])


@promise
def what_operations_and_emergency_both_may_do_with_attached_secrets_stands_in_policies_that_both_have(deployed):
    for stack in (deployed.smallest, deployed.full):
        shared, found = (role_of(stack, function).get("ManagedPolicyArns", []) for function in OPERATING)
        equal("the emergency role's managed policies", found, shared)
        of_its_own = {action for s in listed(inline(role_of(stack, emergency))) for action in s["Action"]}
        wanted = {"logs:CreateLogStream", "logs:PutLogEvents", *UNATTACHED[emergency]}
        equal("what the emergency role has of its own", of_its_own, wanted)


@promise
def a_plan_reads_a_secret_that_is_not_attached_yet_an_order_its_current_version_and_nothing_else_does(deployed):
    for stack in (deployed.smallest, deployed.full, deployed.quiet):
        for function in FUNCTIONS:
            free = [s for s in statements(stack, function) if is_managed(s) and not attached_to(s)]
            granted = [(action, s["Condition"]) for s in free for action in s["Action"]]
            equal("granted", sorted(granted, key=str), sorted(UNATTACHED[function].items(), key=str))
            for statement in free:
                equal("where", set(statement["Resource"]), managed_arns(stack))


@promise
def operations_and_emergency_tag_attached_secrets_and_the_rotation_function_writes_no_order_for_itself(deployed):
    # createSecret takes the tag RotationOrder for a person's order: without the tag it refuses after ten versions of a day.
    for stack in (deployed.smallest, deployed.full):
        tagging = [(managed_arns(stack), with_any_alias(stack))]
        for function, wanted in ((rotation, []), (operations, tagging), (emergency, tagging)):
            found = [s for s in statements(stack, function) if "secretsmanager:TagResource" in s["Action"]]
            equal("where tags are written", [(set(s["Resource"]), attached_to(s)) for s in found], wanted)


@promise
def operations_rotate_with_the_rotation_function_and_attach_no_other(deployed):
    for stack, function in ((stack, function) for stack in (deployed.smallest, deployed.full) for function in OPERATING):
        arns = [stack.outputs.get("FunctionArn"), f"{stack.outputs.get('FunctionArn')}:*"]
        invoke = [s for s in statements(stack, function) if any(action.startswith("lambda:") for action in s["Action"])]
        equal("invoke", [(s["Action"], s["Resource"]) for s in invoke], [(["lambda:InvokeFunction"], arns)])
        for statement in statements(stack, function):
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
            (deployed.quiet, ["prod/bybit/trading-a1B2c3", "prod/okx/bot-one-a1B2c3", "prod/deribit/one-a1B2c3"]),
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
    wanted = {rotation: {"GetSecretValue": CURRENT}}
    wanted.update({function: {"GetSecretValue": CURRENT, "DescribeSecret": {}} for function in OPERATING})
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
def only_operations_and_emergency_list_secrets_and_learn_no_value_by_it(deployed):
    listing = [(["secretsmanager:ListSecrets"], ["*"])]
    for stack in (deployed.smallest, deployed.full):
        for function, wanted in ((rotation, []), (operations, listing), (emergency, listing)):
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
    # By this a plan tells whether a secret's key is the one that is granted.
    for function in OPERATING:
        has(environment(function(deployed.full)), KMS_KEY_ARN=FULL["KmsKeyArn"])
        has(environment(function(deployed.smallest)), KMS_KEY_ARN=None)
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
def the_kms_key_is_used_through_secrets_manager_wherever_its_host_ends_otherwise(deployed):
    for function in FUNCTIONS:
        conditions = [statement["Condition"].get("StringEquals", {}) for statement in about_kms(deployed.in_china, function)]
        hosts = {condition.get("kms:ViaService") for condition in conditions}
        equal("kms:ViaService", hosts, {f"secretsmanager.{REGION}.{CHINA}"})


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
        for function, wanted in ((rotation, set()), (operations, {"lambda", "sqs"}), (emergency, {"lambda"})):
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
def schedules_call_the_operations_function_and_leave_retries_to_the_next_hour(deployed):
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
                equal("the queue is read", moved_label_mapping(stack).get("Enabled", True), state == "ENABLED")


@promise
def schedules_may_invoke_the_operations_function_alone_and_no_other_schedule_may(deployed):
    for stack in (deployed.smallest, deployed.full):
        schedules = [schedule["Properties"] for schedule in stack.of_type("AWS::Scheduler::Schedule")]
        groups = [logical for logical, resource in stack.resources.items() if resource["Type"] == "AWS::Scheduler::ScheduleGroup"]
        equal("groups", [groups] * len(schedules), [[schedule.get("GroupName")] for schedule in schedules])
        for arn in {schedule["Target"].get("RoleArn") for schedule in schedules}:
            role = stack.at(arn)
            assert role, "they run with a role that is not written here"
            role = role["Properties"]
            assert not role.get("ManagedPolicyArns"), "one statement is all there is"
            may_invoke(stack, listed(inline(role)), [operations])
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
    assert "RoleArn" not in target, "delivery to a queue may fail where a role is given"


@promise
def however_many_labels_move_the_operations_function_is_called_once_a_minute_and_twice_at_a_time(deployed):
    for stack in (deployed.smallest, deployed.full):
        direct = [rule for function in FUNCTIONS for rule in rules_to(stack, arn_of(stack, function))]
        equal("rules that call a function", direct, [])
        mapping = moved_label_mapping(stack)
        has(mapping, FunctionName=arn_of(stack, operations), BatchSize=1000, MaximumBatchingWindowInSeconds=60)
        has(mapping, ScalingConfig={"MaximumConcurrency": 2})
        # The function's answer says what it found, and not which messages it wants again.
        has(mapping, FunctionResponseTypes=None)


@promise
def a_batch_is_hidden_for_as_long_as_it_may_take_and_one_that_failed_is_never_seen_again(deployed):
    for stack in (deployed.smallest, deployed.full):
        _, queue = moved_label_queue(stack)
        hidden, kept = queue.get("VisibilityTimeout", 30), queue.get("MessageRetentionPeriod", 345_600)
        longest = operations(stack)["Properties"]["Timeout"]
        window = moved_label_mapping(stack).get("MaximumBatchingWindowInSeconds", 0)
        assert hidden >= 6 * longest + window, f"AWS asks for 6 times {longest} s and {window} s; it is hidden for {hidden} s"
        assert longest + window < kept <= 3600, f"kept for {kept} s: after an hour the schedule has been there"
        has(queue, RedrivePolicy=None, FifoQueue=None)


@promise
def the_rule_alone_sends_to_the_queue_over_tls_and_messages_are_encrypted(deployed):
    for stack in (deployed.smallest, deployed.full):
        logical, queue = moved_label_queue(stack)
        has(queue, SqsManagedSseEnabled=True)
        arn, policies = queue_arn(logical), [found["Properties"] for found in stack.of_type("AWS::SQS::QueuePolicy")]
        equal("queues with a policy", [policy["Queues"] for policy in policies], [[logical]])
        found = listed([policy["PolicyDocument"] for policy in policies])
        allowed, denied = ([s for s in found if s["Effect"] == effect] for effect in ("Allow", "Deny"))
        (rule, _), = rules_to(stack, arn)
        # Nothing beside the rule's ARN, which has the account in it: what EventBridge does not send, no message meets.
        source = {"ArnEquals": {"aws:SourceArn": rule_arn(rule)}}
        equal("who may send", [(s["Principal"], s["Action"], s["Resource"], s["Condition"]) for s in allowed], [(
            {"Service": "events.amazonaws.com"}, ["sqs:SendMessage"], [arn], source,
        )])
        equal("what nobody may", [(s["Principal"], s["Action"], s["Resource"], s["Condition"]) for s in denied], [(
            "*", ["sqs:*"], [arn], {"Bool": {"aws:SecureTransport": "false"}},
        )])


@promise
def lambda_reads_that_queue_for_the_operations_function_and_no_other_role_reads_any(deployed):
    needed = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
    for stack in (deployed.smallest, deployed.full):
        reads = [s for s in all_statements(stack) if any(action.startswith("sqs:") for action in s["Action"])]
        granted = [(sorted(s["Action"]), s["Resource"]) for s in reads]
        equal("granted", granted, [(needed, [queue_arn(moved_label_queue(stack)[0])])])
        assert reads[0] in statements(stack, operations), "another role has it"


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
def one_failed_order_raises_the_alarm(deployed):
    for stack in (deployed.smallest, deployed.full):
        found = alarm(stack, "FailedEmergencyAlarm")
        one_raises(found, "AWS/Lambda", "Errors", name(emergency(stack)))
        equal("log groups to look at", log_groups_in(found), [f"/aws/lambda/{name(emergency(stack))}"])


@promise
def one_pass_that_was_not_done_raises_the_alarm(deployed):
    failed = '{ ($.type = "operation") && ($.outcome = "failed") && (($.operation = "maintain") || ($.operation = "audit")) }'
    for stack in (deployed.smallest, deployed.full):
        namespace, metric = counted(stack, failed)
        one_raises(alarm(stack, "FailedPassAlarm"), namespace, metric, None)


@promise
def one_finding_that_pages_raises_the_alarm(deployed):
    for stack in (deployed.smallest, deployed.full):
        namespace, metric = counted(stack, '{ ($.type = "finding") && ($.severity = "page") }', OPERATING)
        found = alarm(stack, "PageFindingAlarm")
        one_raises(found, namespace, metric, None)
        groups = sorted(f"/aws/lambda/{name(function(stack))}" for function in OPERATING)
        equal("log groups to look at", log_groups_in(found), groups)


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
    equal("alarms", len(alarms), 5 + len(scheduled_shards(deployed.full)))
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
    """The function that schedules, the queue and people call."""
    return named(stack, f"{stack.parameters['FunctionName']}-operations")


def emergency(stack):
    """The function that people alone call."""
    return named(stack, f"{stack.parameters['FunctionName']}-emergency")


FUNCTIONS = (rotation, operations, emergency)
# Those that perform operations.
OPERATING = (operations, emergency)
# Where the outputs name each function's role.
ROLES = {rotation: "ExecutionRoleArn", operations: "OperationsRoleArn", emergency: "EmergencyRoleArn"}
# The condition that lets the current version be read, and no other.
CURRENT = {"ForAnyValue:StringEquals": {"secretsmanager:VersionStage": "AWSCURRENT"}}
DESCRIBES = {"secretsmanager:DescribeSecret": {}, "secretsmanager:ListSecretVersionIds": {}}
# What each function may do with a secret of a managed name that is not attached, and under which condition.
UNATTACHED = {
    rotation: {},
    operations: {**DESCRIBES, "secretsmanager:GetSecretValue": {}},
    emergency: {**DESCRIBES, "secretsmanager:GetSecretValue": CURRENT},
}


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


def rule_arn(logical):
    return f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{logical}"


def queue_arn(logical):
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{logical}"


def moved_label_queue(stack):
    """The only queue: its logical name and its properties."""
    found = [(logical, resource) for logical, resource in stack.resources.items() if resource["Type"] == "AWS::SQS::Queue"]
    equal("queues", len(found), 1)
    return found[0][0], found[0][1].get("Properties", {})


def moved_label_rule(stack):
    found = rules_to(stack, queue_arn(moved_label_queue(stack)[0]))
    equal("rules that send to the queue", len(found), 1)
    return found[0][1]


def moved_label_mapping(stack):
    mapping = stack.properties("AWS::Lambda::EventSourceMapping")
    has(mapping, EventSourceArn=queue_arn(moved_label_queue(stack)[0]))
    return mapping


def scheduled(stack, operation):
    schedules = [schedule["Properties"] for schedule in stack.of_type("AWS::Scheduler::Schedule")]
    return [schedule for schedule in schedules if json.loads(schedule["Target"].get("Input", "{}")).get("operation") == operation]


def may_invoke(stack, found, functions):
    wanted = [("Allow", ["lambda:InvokeFunction"], [arn_of(stack, function) for function in functions])]
    equal("what it may do", [(s["Effect"], s["Action"], s["Resource"]) for s in found], wanted)


def invoking(found, arn):
    """The statements that let somebody invoke this function."""
    return [
        statement for statement in found
        if statement["Effect"] == "Allow"
        and any(like(action.lower(), "lambda:invokefunction") for action in statement["Action"])
        and any(like(resource, arn) for resource in statement["Resource"])
    ]


def payload_of(stack, output, function):
    """What a command among the outputs sends to this function."""
    command = stack.outputs.get(output, "")
    assert f"--function-name {name(function(stack))} " in command, f"{command!r} runs another function"
    # Version 2 of the AWS CLI takes a payload for base64 unless told otherwise.
    assert "--cli-binary-format raw-in-base64-out" in command, "the payload is text"
    assert "--cli-read-timeout 0" in command, "after 60 s the AWS CLI gives up waiting, and runs the operation once more"
    payload = re.search(r"--payload '(.*?)'", command)
    assert payload, "it says what to run"
    try:
        return json.loads(payload[1])
    except ValueError:
        raise AssertionError(f"{payload[1]} is no JSON") from None


def alarm(stack, logical):
    assert logical in stack.resources, f"there is no {logical}"
    return stack.resources[logical]["Properties"]


def log_groups_in(found):
    """The log groups that an alarm's description names. Whole words: one function's name is how the others' begin."""
    return sorted(re.findall(r"/aws/lambda/[\w-]+", found.get("AlarmDescription", "")))


def one_raises(found, namespace, metric, function_name):
    has(found, Namespace=namespace, MetricName=metric, Statistic="Sum")
    has(found, Dimensions=[{"Name": "FunctionName", "Value": function_name}] if function_name else None)
    has(found, ComparisonOperator="GreaterThanOrEqualToThreshold", Threshold=1, EvaluationPeriods=1, Period=300)
    # A function that rests is not in alarm.
    has(found, TreatMissingData="notBreaching")


def scheduled_shards(stack):
    """The shards that a schedule has maintain pass over."""
    inputs = [json.loads(found["Properties"]["Target"]["Input"]) for found in stack.of_type("AWS::Scheduler::Schedule")]
    return [event["shard"] for event in inputs if event["operation"] == "maintain"]


def counted(stack, pattern, functions=(operations,), **more):
    """Namespace and name of the one metric that counts these lines in the logs of these functions."""
    filters = [found["Properties"] for found in stack.of_type("AWS::Logs::MetricFilter")]
    found = [found for found in filters if found.get("FilterPattern") == pattern]
    groups = sorted(f"/aws/lambda/{name(function(stack))}" for function in functions)
    equal(f"where {pattern} is looked for", sorted(found["LogGroupName"] for found in found), groups)
    transformations = [transformation for found in found for transformation in found["MetricTransformations"]]
    for transformation in transformations:
        has(transformation, MetricNamespace="ExchangeKeyRotation", MetricValue="1", **more)
    metrics = {(transformation["MetricNamespace"], transformation["MetricName"]) for transformation in transformations}
    equal("metrics", len(metrics), 1)
    return metrics.pop()


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
    return listed([*inline(role), *(policy["Properties"]["PolicyDocument"] for policy in managed if policy)])


def all_statements(stack):
    """Every statement of every policy that the stack holds for an identity, attached or not."""
    return listed([document for resource in stack.resources.values() for document in policy_documents(resource)])


def policy_documents(resource):
    """The policies that a resource holds for an identity."""
    if resource["Type"] == "AWS::IAM::Role":
        return inline(resource["Properties"])
    if resource["Type"] in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"):
        return [resource["Properties"]["PolicyDocument"]]
    return []


def inline(role):
    return [policy["PolicyDocument"] for policy in role.get("Policies", [])]


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


def about_kms(stack, function):
    return [s for s in statements(stack, function) if any(action.startswith("kms:") for action in s["Action"])]


def about_secrets(statement):
    return any(action.lower().startswith(("secretsmanager:", "*")) for action in statement["Action"])


def is_master(statement):
    """About master secrets: it names one, or it has the condition for current versions and names anything but managed secrets."""
    named = set(statement["Resource"]) & set(FULL["MasterSecretArns"].split(","))
    by_name = all(arn.endswith("-??????") for arn in statement["Resource"])
    current = "secretsmanager:VersionStage" in json.dumps(statement["Condition"])
    return about_secrets(statement) and bool(named or current and not by_name)


def is_managed(statement):
    """Any other statement about secrets but the listing, so that one added later has to bear a condition of theirs too."""
    return about_secrets(statement) and not is_master(statement) and statement["Action"] != ["secretsmanager:ListSecrets"]


def managed_arns(stack):
    """The managed secrets, each name with any six characters at its end."""
    return {f"{SECRET}{name}-??????" for name in stack.parameters["ManagedSecretNames"].split(",")}


def attached_to(statement):
    """The functions of which a secret has to be attached to one; none where it need not be attached."""
    return statement["Condition"].get("ArnLike", {}).get("secretsmanager:resource/AllowRotationLambdaArn")


def with_any_alias(stack):
    """The rotation function. A secret bears the ARN that it was attached with, which is a qualified one where that was an alias."""
    return [arn_of(stack, rotation), f"{arn_of(stack, rotation)}:*"]


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
