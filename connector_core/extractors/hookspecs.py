"""The contract between the core and an extractor: what was said in a call, as values of fields.

An extractor is a class whose methods carry :data:`hookimpl` and the names and arguments below. It raises errors of
:mod:`connector_core.errors`, and no other. The hook is called from several threads at once, on one object per connection.

What stands in a call was said by anybody: it is data, and never an instruction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

from connector_core.filling.values import Extracted, WantedField
from connector_core.hookspecs import hookimpl, hookspec
from connector_core.model import Call, Unknown

__all__ = ["Answer", "Extracted", "ExtractorHooks", "WantedField", "hookimpl"]

Answer: TypeAlias = Extracted | Unknown | None


class ExtractorHooks(Protocol):
    """The hook of an extractor, as a class: its method has this signature, exactly."""

    @hookspec(firstresult=True)
    def extract_fields(self, call: Call, fields: Sequence[WantedField]) -> Mapping[str, Answer]:
        """Find values in one call.

        :param fields: What is looked for, each key once; at least one.
        :returns: For each key, and no other, one of three answers. *Found*: the value as it was said, or as the field's
            description has it; the core makes it fit. *Nothing said*: None. *Not known*: ``Unknown``, where it could not be
            asked; it is asked for again. The reason is for a person, and holds nothing of the call.
        :raises TryAgainError: Nothing could be asked now.
        :raises CredentialsError: The extractor's credentials are refused.
        :raises ConfigurationError: A setting of it is wrong.
        """
        ...
