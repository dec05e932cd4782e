"""Where the rules of Secrets Manager are collected: those that moto keeps, and those that it is known to break.

A rule is a function of one secret that does not exist yet. Where to read them: the API reference of Secrets Manager, under the
operation that the rule is about.
"""

from collections.abc import Callable
from dataclasses import dataclass

NOT_FOUND = "ResourceNotFoundException"
EXISTS = "ResourceExistsException"
BAD_PARAMETER = "InvalidParameterException"
BAD_REQUEST = "InvalidRequestException"

KEPT = []
BROKEN = []


def kept(rule):
    """A rule that has to hold in moto and in the stand-in alike. It fails where the rule is broken."""
    KEPT.append(rule)
    return rule


@dataclass(frozen=True)
class Broken:
    observe: Callable
    documented: object
    in_moto: object


def broken(documented, in_moto):
    """A rule that the stand-in has to keep, and moto is known to break in this way. It answers what it saw."""

    def collect(observe):
        BROKEN.append(Broken(observe, documented, in_moto))
        return observe

    return collect
