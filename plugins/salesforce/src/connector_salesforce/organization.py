"""The organization: two API calls.

Its time zone is ``TimeZoneSidKey`` of ``Organization`` (Object Reference). Of its currency that object says nothing where
there is one alone (so in recorded traffic, and by what users report); ``connect/organization`` does, without Chatter:
``defaultCurrencyIsoCode`` of the features counts where ``multiCurrency`` is false (Connect REST API Developer Guide,
"Organization" and "Features"). With several currencies each record has its own, in ``CurrencyIsoCode``.
"""

from __future__ import annotations

from connector_core.errors import TryAgainError
from connector_core.model import Organization, Unknown
from connector_salesforce.client import Client
from connector_salesforce.soql import Query

_ZONE = "TimeZoneSidKey"


def describe(client: Client) -> Organization:
    """Tell the time zone; and the currency, where there is one alone.

    :raises ConnectorError: It could not be asked.
    """
    told = client.call("connect/organization", lambda sdk: sdk.restful("connect/organization"))
    features = told.get("features") if isinstance(told, dict) else None
    if not isinstance(features, dict):
        raise TryAgainError("Salesforce's answer does not say what the organization has")
    (rows,) = client.ask([Query("Organization", ("Id",), optional=(_ZONE,))])
    if isinstance(rows, Unknown):
        raise TryAgainError(rows.reason)
    zone = rows[0].get(_ZONE) if rows else None
    currency = None if features.get("multiCurrency") else features.get("defaultCurrencyIsoCode")
    return Organization(zone or None, currency or None)
