"""From a decision to the text and the fields of an activity: pure, like the decision."""

from connector_core.writing.draft import Form, change, create

__all__ = ["Form", "change", "create"]
