"""The stand-in for Secrets Manager and moto's, held against the same rules by boto3

Two servers written apart from each other agree on a rule: neither is likely to have made it up. Where moto is known to be wrong,
the stand-in alone has to be right, and moto has to be wrong still.
"""

import aws_clients

# These four fill the lists.
import rules_about_labels  # noqa: F401
import rules_about_secrets  # noqa: F401
import rules_about_values  # noqa: F401
import rules_broken_by_moto  # noqa: F401
import servers
from report import promise
from rules import BROKEN, KEPT
from secret import Secret


def run(report):
    with servers.sandbox() as sandbox, servers.moto() as moto:
        # An ARN that is not the function's own: it looks at these secrets, and refuses to touch them.
        function_arn = aws_clients.no_op_function(moto, sandbox.variables, "rules")
        clients = {
            "stand-in": aws_clients.client("secretsmanager", sandbox.url, sandbox.variables),
            "moto": aws_clients.client("secretsmanager", moto, sandbox.variables),
        }

        def fresh(store, rule):
            return Secret(clients[store], f"rules/{rule.__name__}", function_arn)

        for rule in KEPT:
            for store in clients:
                report.check(f"{store}: {promise(rule)}", rule, fresh(store, rule))

        report.section("Rules that moto is known to break")
        for rule in BROKEN:
            name = promise(rule.observe)
            report.check(f"stand-in: {name}", is_documented, rule, fresh("stand-in", rule.observe))
            report.check(f"moto still breaks: {name}", is_still_broken, rule, fresh("moto", rule.observe))


def is_documented(rule, secret):
    seen = rule.observe(secret)
    assert seen == rule.documented, f"{seen!r} instead of {rule.documented!r}"


def is_still_broken(rule, secret):
    seen = rule.observe(secret)
    assert seen != rule.documented, "moto keeps this rule now: it belongs among those that both keep"
    assert seen == rule.in_moto, f"moto does something else now: {seen!r} instead of {rule.in_moto!r}"
