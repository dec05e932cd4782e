"""Three clients that were written for the real OKX, pointed at the stand-in, behind one set of names.

The stand-in's site comes with a master key that is bound to this machine's address, and a sub-account's key.
"""

import importlib
import json
import logging
import sys
import sysconfig
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import ccxt

TOO_FAST = "50011"

# okx-sdk would have every library of this process log each of its requests. The first who sets this up is who decides.
logging.basicConfig(level=logging.WARNING)


def package_okx(environment, *names):
    """Modules of the package `okx` in a virtual environment. okx-sdk and python-okx both have that name, and files with the same
    names. So each is imported from an environment of its own, and then forgotten, for the other to find its own modules."""
    folder = sysconfig.get_path("purelib", "venv", {"base": str(environment)})
    sys.path.insert(0, folder)
    try:
        return [importlib.import_module(f"okx.{name}") for name in names]
    finally:
        sys.path.remove(folder)
        for name in [name for name in sys.modules if name.split(".")[0] == "okx"]:
            del sys.modules[name]


python_okx_account, python_okx_public, python_okx_subaccount, python_okx_utils = package_okx(
    sys.prefix, "Account", "PublicData", "SubAccount", "utils"
)
okx_sdk_account, okx_sdk_public, okx_sdk_subaccount, okx_sdk_utils = package_okx(
    Path(sys.prefix, "okx-sdk"), "restapi.Account", "restapi.PublicData", "restapi.SubAccount", "utils"
)


@dataclass(frozen=True)
class Credential:
    key: str
    secret: str
    passphrase: str

    @classmethod
    def of(cls, variables, whose):
        return cls(*(variables[f"OKX_{whose}_{part}"] for part in ("KEY", "SECRET", "PASSPHRASE")))


@dataclass(frozen=True)
class Site:
    """The stand-in, as `sandbox serve` describes it."""

    url: str
    master: Credential
    sub: Credential
    sub_account: str
    # A master key that is bound to no address.
    unbound_master: Credential

    @classmethod
    def of(cls, variables):
        return cls(
            variables["OKX_STAND_IN_URL"],
            Credential.of(variables, "MASTER"),
            Credential.of(variables, "SUB"),
            variables["OKX_SUB_ACCOUNT"],
            Credential.of(variables, "UNBOUND_MASTER"),
        )


class Refused(Exception):
    """OKX answered with this code."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


@contextmanager
def refusal(*codes):
    try:
        yield
    except Refused as refused:
        assert refused.code in codes, f"{refused.code} instead of {' or '.join(codes)}"
    else:
        raise AssertionError(f"accepted instead of {' or '.join(codes)}")


class Client:
    """What the three have in common: a reply is its data, or is `Refused`. OKX accepts one creation, one edit and one deletion a
    second, and none of the three tries again by itself. So this does, unless it is told not to be `patient`."""

    def __init__(self, patient):
        self.attempts = 6 if patient else 1

    def data(self, call, *values, **named):
        for left in reversed(range(self.attempts)):
            reply = self.reply(call, *values, **named)
            if reply["code"] == "0":
                return reply["data"]
            if reply["code"] != TOO_FAST or not left:
                raise Refused(reply["code"])
            time.sleep(0.5)
        raise AssertionError("there is no attempt")

    def reply(self, call, *values, **named):
        """Two of the three hand on whatever comes."""
        return call(*values, **named)

    def one(self, call, *values, **named):
        (only,) = self.data(call, *values, **named)
        return only


class Ccxt(Client):
    """The client that most bots are built on. It turns each code that it knows into a class of its own."""

    ISSUES = UNBINDS = True
    CLASSES = {
        "50011": ccxt.RateLimitExceeded,
        "50014": ccxt.BadRequest,
        "50101": ccxt.AuthenticationError,
        "50102": ccxt.InvalidNonce,
        "50105": ccxt.AuthenticationError,
        "50110": ccxt.PermissionDenied,
        "50111": ccxt.AuthenticationError,
        "50112": ccxt.AuthenticationError,
        "50113": ccxt.AuthenticationError,
        "51000": ccxt.BadRequest,
    }

    def __init__(self, url, credential, clock_error_ms=0, demo=False, patient=True):
        super().__init__(patient)
        self.api = ccxt.okx({"apiKey": credential.key, "secret": credential.secret, "password": credential.passphrase})
        if demo:
            self.api.set_sandbox_mode(True)
        self.api.urls["api"] = {"rest": url}
        self.api.options["timeDifference"] = -clock_error_ms

    def reply(self, call, params):
        try:
            return call(params)
        except ccxt.BaseError as error:
            # Its text is the exchange's name, and the body as it came.
            body = str(error).removeprefix("okx ")
            if not body.startswith("{"):
                raise
            code = json.loads(body)["code"]
            known = self.CLASSES.get(code, ccxt.ExchangeError)
            assert type(error) is known, f"{type(error).__name__} instead of {known.__name__}, for {code}"
            return {"code": code}

    def time(self):
        return self.one(self.api.public_get_public_time, {})

    def own(self):
        return self.one(self.api.private_get_account_config, {})

    def create(self, **params):
        return self.one(self.api.private_post_users_subaccount_apikey, params)

    def keys(self, **params):
        return self.data(self.api.private_get_users_subaccount_apikey, params)

    def edit(self, **params):
        return self.one(self.api.private_post_users_subaccount_modify_apikey, params)

    def delete(self, **params):
        return self.one(self.api.private_post_users_subaccount_delete_apikey, params)


class OkxSdk(Client):
    """okx-sdk. It hands on the code as it came, signs JSON with blanks in it, and cannot send an empty list of addresses."""

    ISSUES, UNBINDS = True, False

    def __init__(self, url, credential, clock_error_ms=0, demo=False, patient=True):
        super().__init__(patient)
        signing = {"simulation": demo, "domain": url}
        whose = (credential.key, credential.secret, credential.passphrase)
        self.public = okx_sdk_public.PublicDataClient(domain=url)
        self.account = okx_sdk_account.AccountClient(*whose, **signing)
        self.subaccount = okx_sdk_subaccount.SubAccountClient(*whose, **signing)
        self.last = None
        for api in (self.account, self.subaccount):
            api.event_hooks = {"response": [self.remember]}
            if clock_error_ms:
                api.local_time = lambda: timestamp(clock_error_ms)

    def remember(self, response):
        self.last = response

    def time(self):
        return self.one(self.public.get_time)

    def own(self):
        return self.one(self.account.get_account_config)

    def create(self, **params):
        return self.one(self.subaccount.create_apikey, **params)

    def keys(self, **params):
        return self.data(self.subaccount.get_apikey, **params)

    def edit(self, **params):
        return self.one(self.subaccount.set_apikey, **params)

    def delete(self, **params):
        return self.one(self.subaccount.delete_apikey, **params)


class PythonOkx(Client):
    """OKX's own client. It hands on the code as it came, and has no call that creates, lists or deletes a key."""

    ISSUES, UNBINDS = False, True

    def __init__(self, url, credential, clock_error_ms=0, demo=False, patient=True):
        super().__init__(patient)
        signing = {"flag": "1" if demo else "0", "domain": url}
        whose = (credential.key, credential.secret, credential.passphrase)
        self.public = python_okx_public.PublicAPI(**signing)
        self.account = python_okx_account.AccountAPI(*whose, **signing)
        self.subaccount = python_okx_subaccount.SubAccountAPI(*whose, **signing)
        if clock_error_ms:
            for api in (self.account, self.subaccount):
                api.use_server_time, api._get_timestamp = True, lambda: timestamp(clock_error_ms)

    def time(self):
        return self.one(self.public.get_system_time)

    def own(self):
        return self.one(self.account.get_account_config)

    def edit(self, **params):
        return self.one(self.subaccount.reset_subaccount_apikey, **params)


def timestamp(error_ms):
    """The time as OKX wants it, by a clock that is wrong by so much."""
    shown = datetime.now(UTC) + timedelta(milliseconds=error_ms)
    return shown.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Venue:
    """The stand-in through one of the three clients."""

    client: type
    site: Site

    def signing_as(self, credential, **options):
        return self.client(self.site.url, credential, **options)

    def master(self, **options):
        return self.signing_as(self.site.master, **options)

    def sub(self):
        return self.signing_as(self.site.sub)

    def issuer(self):
        """The master key, through a client that can issue keys."""
        return (self.client if self.client.ISSUES else OkxSdk)(self.site.url, self.site.master)

    def all_keys(self):
        """Every key of the sub-account."""
        return {entry["apiKey"]: entry for entry in self.issuer().keys(subAcct=self.site.sub_account)}


def permissions(key):
    """The order is OKX's own, and it has two words for reading."""
    return {"read_only" if word == "read" else word for word in key["perm"].split(",") if word}


def addresses(key):
    return {address for address in key["ip"].split(",") if address}
