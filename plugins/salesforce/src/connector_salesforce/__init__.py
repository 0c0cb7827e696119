"""Salesforce for connector-core."""
