"""From the SAM file to what CloudFormation would make of it, offline.

`expand` does what the Serverless transform does, `lint` is cfn-lint, and `Deployed` holds the expanded document together with
four stacks made of it: the smallest one that can be deployed, one with every parameter given, the same where hosts end
otherwise, and one that does nothing by itself.
"""

import copy
import json
import re

from boto3.session import Session
from cfnlint.api import lint as cfn_lint
from samcli.yamlhelper import yaml_parse
from samtranslator.metrics.metrics import Metrics
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

REGION = "eu-central-1"
ACCOUNT = "123456789012"
NOTHING = object()
# What the hosts of the Regions in China end with.
CHINA = "amazonaws.com.cn"

SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:"
SMALLEST = {"ManagedSecretNames": "prod/bybit/trading", "EgressIps": ""}
FULL = {
    "FunctionName": "rotator",
    "ManagedSecretNames": "prod/bybit/trading,prod/okx/bot-*",
    "MasterSecretArns": f"{SECRET}prod/bybit/master-a1B2c3,{SECRET}prod/okx/master-d4E5f6",
    "KmsKeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/01234567-89ab-cdef-0123-456789abcdef",
    "EgressIps": "52.1.2.3, 18.9.8.7",
    "SubnetIds": "subnet-0a,subnet-0b",
    "SecurityGroupIds": "sg-0c",
    "AlarmTopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:on-call",
    "LogLevel": "debug",
    "ScheduledSecretArn": f"{SECRET}prod/bybit/trading-x7Y8z9",
    "GraceHours": "48",
    "AdoptionGraceHours": "336",
    "MaintainShards": "4",
    "OperationsConcurrency": "6",
}
QUIET = {
    "ManagedSecretNames": "prod/bybit/trading,prod/okx/bot-*,prod/deribit/*",
    "EgressIps": "",
    "MaintainSchedule": "DISABLED",
    "MaintainShards": "2",
    "AuditSchedule": "DISABLED",
}


def read(path):
    """The SAM file, with CloudFormation's short tags (!Ref and the like) written out."""
    return json.loads(json.dumps(yaml_parse(path.read_text())))


def expand(source):
    """The CloudFormation document that the Serverless transform makes of it."""
    document = copy.deepcopy(source)
    # The transform sees a file that `sam package` has been over: local code is an object in a bucket by then.
    for resource in document["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
    # Published to nowhere; left unpublished, the translator complains on every call.
    metrics = Metrics()
    translator = Translator({}, Parser(), boto_session=Session(region_name=REGION), metrics=metrics)
    expanded = translator.translate(document, {})
    metrics.publish()
    return json.loads(json.dumps(expanded))


def lint(template):
    """Complaints of cfn-lint, warnings included."""
    return [str(match) for match in cfn_lint(json.dumps(template), regions=[REGION])]


class Deployed:
    """The expanded document and four stacks made of it."""

    def __init__(self, template):
        self.template = template
        self.smallest = Stack(template, SMALLEST)
        self.full = Stack(template, FULL)
        self.in_china = Stack(template, FULL, suffix=CHINA)
        self.quiet = Stack(template, QUIET)

    def with_arguments(self, **arguments):
        """The one with every parameter given, some of them otherwise."""
        return Stack(self.template, {**FULL, **arguments})


class Stack:
    """The document with parameters filled in and conditions decided: what would exist in the account."""

    def __init__(self, template, arguments, suffix="amazonaws.com"):
        self._template = template
        self.parameters = {
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": "aws",
            "AWS::Region": REGION,
            "AWS::NoValue": NOTHING,
            "AWS::StackName": "stack",
            "AWS::URLSuffix": suffix,
            **{name: argument(name, spec, arguments) for name, spec in template["Parameters"].items()},
        }
        self.resources = {
            name: self._resolve(resource)
            for name, resource in template["Resources"].items()
            if "Condition" not in resource or self._holds(resource["Condition"])
        }
        self.outputs = {name: self._resolve(output["Value"]) for name, output in template.get("Outputs", {}).items()}

    def of_type(self, kind):
        return [resource for resource in self.resources.values() if resource["Type"] == kind]

    def at(self, arn):
        """The role or policy of this stack that has this ARN; none if it is somebody else's."""
        return next((resource for name, resource in self.resources.items() if arn and self._arn(name) == arn), None)

    def properties(self, kind):
        """The properties of the only resource of that type, or nothing at all if it is absent."""
        found = self.of_type(kind)
        assert len(found) <= 1, f"more than one {kind}"
        return found[0].get("Properties", {}) if found else {}

    def _holds(self, condition):
        return self._resolve(self._template["Conditions"][condition])

    def _resolve(self, node):
        if isinstance(node, list):
            return [value for value in map(self._resolve, node) if value is not NOTHING]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            (key, value), = node.items()
            function = {
                "Ref": self._ref,
                "Condition": lambda name: self._holds(name) if isinstance(name, str) else self._each({key: name}),
                "Fn::GetAtt": self._attribute,
                "Fn::Sub": self._sub,
                "Fn::If": lambda v: self._resolve(v[1] if self._holds(v[0]) else v[2]),
                "Fn::Join": lambda v: v[0].join(self._resolve(v[1])),
                "Fn::Split": lambda v: self._resolve(v[1]).split(v[0]),
                "Fn::Select": lambda v: self._resolve(v[1])[int(v[0])],
                "Fn::Equals": lambda v: self._resolve(v[0]) == self._resolve(v[1]),
                "Fn::Not": lambda v: not self._resolve(v[0]),
                "Fn::And": lambda v: all(map(self._resolve, v)),
                "Fn::Or": lambda v: any(map(self._resolve, v)),
            }.get(key)
            if function:
                return function(value)
            assert not key.startswith("Fn::"), f"this check does not know {key}"
        return self._each(node)

    def _each(self, node):
        resolved = {key: self._resolve(value) for key, value in node.items()}
        return {key: value for key, value in resolved.items() if value is not NOTHING}

    def _ref(self, name):
        if name in self.parameters:
            return self.parameters[name]
        resource = self._template["Resources"][name]
        if resource["Type"] == "AWS::IAM::ManagedPolicy":
            return self._arn(name)
        properties = resource.get("Properties", {})
        given = next((properties[key] for key in ("FunctionName", "LogGroupName") if key in properties), name)
        return self._resolve(given)

    def _attribute(self, path):
        name, attribute = path if isinstance(path, list) else path.split(".", 1)
        assert attribute == "Arn", f"this check does not know the attribute {attribute}"
        arn = self._arn(name)
        assert arn, f"this check does not know the ARN of {name}"
        return arn

    def _arn(self, name):
        kind = self._template["Resources"][name]["Type"]
        by_name = {
            "AWS::Lambda::Function": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{{}}",
            "AWS::Logs::LogGroup": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{{}}:*",
        }
        by_logical_name = {
            "AWS::Events::Rule": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{{}}",
            "AWS::IAM::ManagedPolicy": f"arn:aws:iam::{ACCOUNT}:policy/{{}}",
            "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/{{}}",
            "AWS::Scheduler::ScheduleGroup": f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule-group/{{}}",
            "AWS::SQS::Queue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{{}}",
        }
        if kind in by_name:
            return by_name[kind].format(self._ref(name))
        return by_logical_name[kind].format(name) if kind in by_logical_name else None

    def _sub(self, value):
        text, given = value if isinstance(value, list) else (value, {})

        def fill(match):
            name = match[1]
            if name in given:
                return str(self._resolve(given[name]))
            return str(self._attribute(name) if "." in name else self._ref(name))

        return re.sub(r"\$\{([^!}]+)\}", fill, text)


def argument(name, spec, arguments):
    """A parameter's value as CloudFormation would take it, or an AssertionError where it would refuse."""
    given = arguments.get(name, spec.get("Default"))
    assert given is not None, f"{name} has no value"
    items = [item.strip() for item in str(given).split(",")] if spec["Type"] == "CommaDelimitedList" else [str(given)]
    for item in items:
        assert accepts(spec, item), f"{name} refuses {item!r}"
    return items if spec["Type"] == "CommaDelimitedList" else str(given)


def accepts(spec, item):
    """Whether a parameter takes this value, or this item of its list."""
    allowed = [str(value) for value in spec.get("AllowedValues", [item])]
    if spec["Type"] == "Number" and not float(spec.get("MinValue", item)) <= float(item) <= float(spec.get("MaxValue", item)):
        return False
    return item in allowed and re.fullmatch(spec.get("AllowedPattern", ".*"), item) is not None
