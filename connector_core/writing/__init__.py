"""From a decision to the text and the fields of an activity: pure, like the decision."""

from connector_core.writing.draft import Form, change, create, note
from connector_core.writing.fields import SAID, FromCall, fields_of, read_fields
from connector_core.writing.owners import Owner, Owners
from connector_core.writing.render import PARTS
from connector_core.writing.result import result_json
from connector_core.writing.room import told, untold
from connector_core.writing.settings import MeetingsAs, Writing
from connector_core.writing.written import shown, written_by, written_unanswered

__all__ = [
    "PARTS",
    "SAID",
    "Form",
    "FromCall",
    "MeetingsAs",
    "Owner",
    "Owners",
    "Writing",
    "change",
    "create",
    "fields_of",
    "note",
    "read_fields",
    "result_json",
    "shown",
    "told",
    "untold",
    "written_by",
    "written_unanswered",
]
