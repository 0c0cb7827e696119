"""Fills the CRM's fields from the calls of one connection: finds values, and sends those that may be sent.

A call's fields are due when it settles, when more is learned of it, and when a person decides about one. What is about to
be sent is noted in the ledger first, like an activity; where it was not answered, the CRM is read before it is sent again.
"""

from connector_core.filler.runner import Filler, FillRun

__all__ = ["FillRun", "Filler"]
