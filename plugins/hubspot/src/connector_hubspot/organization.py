"""The account whose portal it is: one request, which needs no scope (developers.hubspot.com, guide to account information).

``companyCurrency`` is that of amounts which say no other; a deal may be in another one of the account's
(``additionalCurrencies``), by ``deal_currency_code``.
"""

from __future__ import annotations

from connector_core.errors import TryAgainError
from connector_core.model import Organization
from connector_hubspot.client import HubSpotClient

DETAILS = "/account-info/{version}/details"


def describe(client: HubSpotClient) -> Organization:
    """Tell the time zone and the company's currency.

    :raises ConnectorError: HubSpot could not be asked.
    """
    details = client.get(DETAILS)
    zone, currency = details.get("timeZone"), details.get("companyCurrency")
    if not zone and not currency:
        raise TryAgainError("HubSpot's answer does not describe the account")
    return Organization(zone or None, currency or None)
