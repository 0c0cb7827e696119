"""Values as they were said, brought to the CRM's schema: one module for each kind of value.

A value is never cut, rounded to fit, or guessed: what may be two values, or is none, is refused for its field alone, with
a sentence for a person.
"""

from connector_core.filling.coercion.coercing import coerce
from connector_core.filling.coercion.context import Coerced, Context, Refused
from connector_core.filling.coercion.number import names_currency
from connector_core.filling.coercion.sameness import same, shown

__all__ = ["Coerced", "Context", "Refused", "coerce", "names_currency", "same", "shown"]
