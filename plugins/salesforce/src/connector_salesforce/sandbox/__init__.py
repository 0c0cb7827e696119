"""The Salesforce sandbox: the part of the REST API that the plugin uses, over records in memory."""

from connector_salesforce.sandbox.sandbox import SalesforceSandbox

__all__ = ["SalesforceSandbox"]
