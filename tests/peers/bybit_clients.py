"""Two clients that were written for the real Bybit, pointed at the stand-in, behind one set of names.

The stand-in's site comes with a master key that may issue keys, and a sub-account's key that may not transfer.
"""

import time
from contextlib import contextmanager
from dataclasses import dataclass

import ccxt
from pybit.exceptions import InvalidRequestError
from pybit.unified_trading import HTTP


@dataclass(frozen=True)
class Credential:
    key: str
    secret: str


@dataclass(frozen=True)
class Site:
    """The stand-in, as `sandbox serve` describes it."""

    url: str
    master: Credential
    sub: Credential
    sub_uid: int

    @classmethod
    def of(cls, variables):
        master = Credential(variables["BYBIT_MASTER_KEY"], variables["BYBIT_MASTER_SECRET"])
        sub = Credential(variables["BYBIT_SUB_KEY"], variables["BYBIT_SUB_SECRET"])
        return cls(variables["BYBIT_STAND_IN_URL"], master, sub, int(variables["BYBIT_SUB_UID"]))


class Pybit:
    """Bybit's own client. It raises the code as it came, and waits by the rate headers by itself."""

    def __init__(self, url, credential, clock_error_ms=0):
        self.session = HTTP(api_key=credential.key, api_secret=credential.secret, logging_level="CRITICAL")
        self.session.endpoint = url
        if clock_error_ms:
            # By default it retries this error with a wider window. The window has to stay, and the error to come out.
            self.session.retry_codes = {10006}
            sign = self.session._auth
            self.session._prepare_headers = lambda payload, window, content_type="application/json": {
                "Content-Type": content_type,
                "X-BAPI-API-KEY": credential.key,
                "X-BAPI-SIGN": sign(payload, window, late := int(time.time() * 1000) + clock_error_ms),
                "X-BAPI-TIMESTAMP": str(late),
                "X-BAPI-RECV-WINDOW": str(window),
            }

    def time(self):
        return self.session.get_server_time()

    def own(self):
        return self.session.get_api_key_information()["result"]

    def create(self, **params):
        return self.session.create_sub_api_key(**params)["result"]

    def page(self, **params):
        return self.session.get_all_sub_api_keys(**params)["result"]

    def edit(self, **params):
        return self.session.modify_sub_api_key(**params)["result"]

    def delete(self, **params):
        return self.session.delete_sub_api_key(**params)["result"]

    def edit_master(self, **params):
        return self.session.modify_master_api_key(**params)["result"]

    @staticmethod
    @contextmanager
    def refusal(code):
        try:
            yield
        except InvalidRequestError as error:
            assert error.status_code == code, f"{error.status_code} instead of {code}"
        else:
            raise AssertionError(f"accepted instead of {code}")


class Ccxt:
    """The client that most bots are built on. It turns each code into a class of its own."""

    CLASSES = {
        10001: ccxt.BadRequest,
        10002: ccxt.InvalidNonce,
        10003: ccxt.AuthenticationError,
        10004: ccxt.AuthenticationError,
        10005: ccxt.PermissionDenied,
        10006: ccxt.RateLimitExceeded,
        10010: ccxt.PermissionDenied,
    }

    def __init__(self, url, credential, clock_error_ms=0):
        self.api = ccxt.bybit({"apiKey": credential.key, "secret": credential.secret})
        self.api.urls["api"] = {name: url for name in self.api.urls["api"]}
        self.api.options["timeDifference"] = -clock_error_ms

    def time(self):
        return self.api.public_get_v5_market_time()

    def own(self):
        return self.api.private_get_v5_user_query_api()["result"]

    def create(self, **params):
        # It does not wait for the one key a second, so the caller has to.
        for _ in range(5):
            try:
                return self.create_at_once(**params)
            except ccxt.RateLimitExceeded:
                time.sleep(0.5)
        return self.create_at_once(**params)

    def create_at_once(self, **params):
        return self.api.private_post_v5_user_create_sub_api(params)["result"]

    def page(self, **params):
        return self.api.private_get_v5_user_sub_apikeys(params)["result"]

    def edit(self, **params):
        return self.api.private_post_v5_user_update_sub_api(params)["result"]

    def delete(self, **params):
        return self.api.private_post_v5_user_delete_sub_api(params)["result"]

    def edit_master(self, **params):
        return self.api.private_post_v5_user_update_api(params)["result"]

    @classmethod
    @contextmanager
    def refusal(cls, code):
        try:
            yield
        except ccxt.BaseError as error:
            assert type(error) is cls.CLASSES[code], f"{type(error).__name__} instead of {cls.CLASSES[code].__name__}"
            assert f'"retCode":{code},' in str(error), f"another code than {code}"
        else:
            raise AssertionError(f"accepted instead of {code}")


@dataclass(frozen=True)
class Venue:
    """The stand-in through one of the two clients."""

    client: type
    site: Site

    def signing_as(self, credential, **options):
        return self.client(self.site.url, credential, **options)

    def master(self, **options):
        return self.signing_as(self.site.master, **options)

    def sub(self):
        return self.signing_as(self.site.sub)

    def refusal(self, code):
        return self.client.refusal(code)

    def all_keys(self, limit=20):
        """Every key of the sub-account by page, so that paging is used wherever a key is looked for."""
        keys, cursor = {}, ""
        while True:
            page = self.master().page(
                subMemberId=str(self.site.sub_uid), limit=limit, **({"cursor": cursor} if cursor else {})
            )
            assert len(page["result"]) <= limit
            keys |= {entry["apiKey"]: entry for entry in page["result"]}
            cursor = page["nextPageCursor"]
            if not cursor:
                return keys


def powers(key):
    """What a key may do, as far as whoever issues one decides that: the venue adds `Derivatives` by itself."""
    granted = {group: sorted(values) for group, values in key["permissions"].items() if values and group != "Derivatives"}
    return granted, int(key["readOnly"])
