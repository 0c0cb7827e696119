"""Aircall for connector-core."""
