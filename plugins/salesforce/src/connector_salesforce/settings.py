"""The settings of a Salesforce connection, checked before anything is sent."""

from __future__ import annotations

import contextlib
import re
from typing import Annotated, TypeAlias
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from connector_core.addresses import LOOPBACK

DOMAINS = (".salesforce.com", ".salesforce.mil", ".sfcrmproducts.cn", ".sfcrmapps.cn")
"""Where orgs live: My Domain hosts (``acme.my.salesforce.com``), instances (``na1.salesforce.com``), and the same of the
United States' defence cloud and of Salesforce on Alibaba Cloud (help.salesforce.com, "My Domain URL Formats")."""

LOGIN, TEST = "https://login.salesforce.com", "https://test.salesforce.com"
_TEST_HOST = re.compile(r".+\.(sandbox|scratch)\.my\.salesforce\.com")
_LEAST_BITS = 2048  # RFC 7518, section 3.3
_HOST = re.compile(r"[a-z0-9][a-z0-9.-]*[a-z0-9]")
_FLOOR = 58


def check_instance(url: str) -> str:
    """Give the origin of an org, like ``https://acme.my.salesforce.com``.

    The access token is sent there: only Salesforce's own domains pass, over https; http on loopback, for a sandbox.

    :raises ValueError: Any other address; the message says what is wanted.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise ValueError("is no address") from error
    host = (parts.hostname or "").lower()
    if parts.scheme not in ("https", "http"):
        raise ValueError("must start with https://, like https://acme.my.salesforce.com")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must hold no user and no password")
    if parts.path not in ("", "/") or parts.query or parts.fragment or "?" in url or "#" in url:
        raise ValueError("must end after the host: no path, no query")
    if host in LOOPBACK and parts.scheme == "http":
        return f"http://{parts.netloc.lower()}"
    if parts.scheme != "https":
        raise ValueError("must start with https://; http is for a sandbox on loopback")
    if host.endswith(".lightning.force.com"):
        raise ValueError("is the address of the user interface; the API's ends in .my.salesforce.com")
    if port is not None or not _HOST.fullmatch(host) or not host.endswith(DOMAINS):
        raise ValueError(f"must be a host of Salesforce, ending in {', '.join(DOMAINS)}, without port")
    return f"https://{host}"


def _origin(url: str) -> str:
    try:
        return check_instance(url)
    except ValueError as error:
        raise PydanticCustomError("origin", "{why}", {"why": str(error)}) from error


def _version(text: str) -> str:
    match = re.fullmatch(r"(\d{2,3})\.0", text)
    if not match or int(match[1]) < _FLOOR:
        raise PydanticCustomError("api_version", f"must be a version of the API from {_FLOOR}.0 on, like 66.0")
    return text


def _signing_key(secret: SecretStr) -> SecretStr:
    """Read a private key; in a variable of the environment its lines may end in a backslash and an n."""
    from cryptography.exceptions import UnsupportedAlgorithm  # here, as few connections need it
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    pem = secret.get_secret_value().replace("\\n", "\n").strip()
    bits = 0
    with contextlib.suppress(ValueError, TypeError, UnsupportedAlgorithm):
        key = load_pem_private_key(pem.encode(), password=None)
        bits = key.key_size if isinstance(key, RSAPrivateKey) else 0
    # Raised out here: what reads keys might quote them.
    if bits < _LEAST_BITS:
        wanted = "must be an RSA private key of {bits} bits or more, in PEM and without a passphrase"
        raise PydanticCustomError("private_key", wanted, {"bits": _LEAST_BITS})
    return SecretStr(pem)


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    again = [name for place, name in enumerate(names) if name.lower() in [it.lower() for it in names[:place]]]
    if again:
        raise PydanticCustomError("twice", "names {name} twice", {"name": again[0]})
    return names


def _field(name: str) -> str:
    if not re.fullmatch(r"(Contact|Lead)\.[A-Za-z][A-Za-z0-9_]*", name):
        raise PydanticCustomError("field", "should be a field of contacts or leads, like Contact.Direct_Phone__c")
    return name


Fields: TypeAlias = Annotated[
    tuple[Annotated[str, AfterValidator(_field)], ...], Field(min_length=1), AfterValidator(_each_once)
]
"""Fields of contacts and leads, by their API names."""


class SalesforceSettings(BaseModel):
    """How to reach one org: with an app (``client_id`` and what belongs to it), with ``access_token``, or with both.

    ``instance_url``: the org's My Domain address. ``access_token``: an OAuth access token; it is used until it ends, and
    renewed only where there is an app too.
    ``client_id``, ``client_secret``: of an External Client App with the client credentials flow and a run-as user
    (help.salesforce.com, "OAuth 2.0 Client Credentials Flow"). With ``refresh_token``, which a person's consent gave to
    the app, that flow is not used, and ``client_secret`` is needed only where the app requires it.
    ``username``, ``private_key``: with ``client_id``, the JWT bearer flow. The key is RSA, in PEM; the app has its
    certificate. ``audience``: of that flow, where ``instance_url`` does not tell it (:attr:`token_audience`).
    ``phone_fields``, ``email_fields``: the fields by which people are looked for, like ``Contact.Direct_Phone__c``, in place
    of the standard ones (:mod:`connector_salesforce.identifying`).
    ``key_field``: a text field of the org's own on Activity, marked External ID and Unique, that takes the call's id;
    with it no duplicate can arise.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    instance_url: Annotated[str, AfterValidator(_origin)]
    access_token: SecretStr | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None
    refresh_token: SecretStr | None = None
    username: Annotated[str, Field(pattern=r"^\S+$")] | None = None
    private_key: Annotated[SecretStr, AfterValidator(_signing_key)] | None = None
    audience: Annotated[str, AfterValidator(_origin)] | None = None
    api_version: Annotated[str, AfterValidator(_version)] = "66.0"
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 30.0
    settle_seconds: Annotated[float, Field(ge=0)] | None = None
    key_field: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*__c$")] | None = None

    phone_fields: Fields | None = None
    email_fields: Fields | None = None

    @model_validator(mode="after")
    def _one_way_to_sign_in(self) -> SalesforceSettings:
        secrets = {name: getattr(self, name) for name in ("access_token", "client_secret", "refresh_token")}
        consented = any(secrets[name] is not None for name in ("client_secret", "refresh_token"))
        of_app = consented or self.private_key is not None
        if (self.access_token is None and not of_app) or of_app != (self.client_id is not None):
            raise PydanticCustomError(
                "sign_in",
                "needs access_token, or client_id together with client_secret, refresh_token or both, or with username"
                " and private_key",
            )
        if (self.private_key is None) != (self.username is None):
            raise PydanticCustomError("sign_in", "needs both of username and private_key, or neither")
        if consented and self.private_key is not None:
            raise PydanticCustomError("sign_in", "takes private_key, or client_secret and refresh_token: not both ways")
        if self.private_key is not None and not self.token_audience:
            raise PydanticCustomError("sign_in", "needs audience: none is known for the domain of instance_url")
        for name, secret in secrets.items():
            if secret is not None and not re.fullmatch(r"[!-~]+", secret.get_secret_value()):
                raise PydanticCustomError(
                    "secret", "{name} is empty, or holds blanks or odd characters", {"name": name}
                )
        return self

    @property
    def token_audience(self) -> str:
        """The ``aud`` of assertions: ``audience``, or what Salesforce documents for such a host; empty where it does not.

        Sandboxes and scratch orgs have that of test.salesforce.com, and so has a sandbox on this machine.
        """
        host = self.address.hostname or ""
        if self.audience or not (host in LOOPBACK or host.endswith(".salesforce.com")):
            return self.audience or ""
        return TEST if host in LOOPBACK or _TEST_HOST.fullmatch(host) else LOGIN

    @property
    def address(self) -> SplitResult:
        """The parts of ``instance_url``."""
        return urlsplit(self.instance_url)
