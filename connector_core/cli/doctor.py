"""``connector doctor``: what works on a connection, what does not, and whom to ask for what."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator

from connector_core.cli import inputs
from connector_core.cli.output import DONE, INCOMPLETE, paragraph, say, say_json, styled
from connector_core.doctor import Report, examine

SKEW_SECONDS = 60.0
"""How far a clock may be off before a person is told to set it: a call's times are compared by the quarter of an hour."""


def run(arguments: Namespace) -> int:
    """Examine a connection; it is not done while a right is missing that is a must.

    :raises ConnectorError: It cannot sign in, or the CRM cannot be asked.
    """
    connection = inputs.file(arguments.config).connection(arguments.connection)
    with connection.open() as opened, inputs.naming(connection):
        report = examine(opened.connection, writes_notes=bool(opened.writing.note_parts))
    say_json(report.to_json()) if arguments.json else _show(report)
    return INCOMPLETE if any(it.must for it in report.missing) else DONE


def _show(report: Report) -> None:
    say(f"{styled(report.connection, 'bold')}  {report.crm}")
    for label, text in _lines(report):
        paragraph(text, indent="  ", label=f"{label}: ")
    for what in report.works:
        paragraph(what, indent="  ", label="works: ", style="green")
    for right in report.missing:
        text = f"{right.name}{' (a must)' if right.must else ''}. Off without it: {right.disables}"
        paragraph(text, indent="  ", label="missing: ", style="red" if right.must else "yellow")
    for right in report.not_told:
        paragraph(f"whether the right {right.name} is there", indent="  ", label="not told: ")
    if report.note is not None:
        say()
        say("To send to the administrator:")
        for line in report.note.splitlines():
            say(f"  {line}")


def _lines(report: Report) -> Iterator[tuple[str, str]]:
    yield "signed in", "yes"
    if report.access is None:
        yield "rights", "this plugin tells none; a look-up was answered"
    elif report.access.api_version is not None:
        newest = report.access.newest_version
        yield "API version", f"{report.access.api_version}{f', the newest is {newest}' if newest else ''}"
    if report.access is not None and report.notes_aside:
        yield "notes", "none are written, as note_parts is empty; no right on them is needed"
    if report.quota is not None:
        yield "requests", f"{report.quota.left:,} of {report.quota.limit:,} left"
    if report.clock_skew_seconds is not None:
        yield "clock", _clock(report.clock_skew_seconds)
    none = 'none: numbers without + are not read; set regions = ["FR"], or whatever countries they are of'
    yield "regions", ", ".join(report.regions) or none
    yield "time zone", _time_zone(report)
    if isinstance(report.organization, str):
        yield "organization", f"neither its time zone nor its currency is told: {report.organization}"
    elif report.organization is not None and report.organization.currency is not None:
        yield "currency", f"{report.organization.currency}, of amounts whose record says no other"


def _time_zone(report: Report) -> str:
    own = report.time_zone_to_set
    if own is None:
        return report.time_zone
    return (
        f'{report.time_zone}, and the organization is in {own}: set time_zone = "{own}", for its days to be the CRM\'s'
    )


def _clock(skew_seconds: float) -> str:
    if abs(skew_seconds) <= SKEW_SECONDS:
        return "right"
    way = "behind" if skew_seconds > 0 else "ahead of"
    return f"{abs(skew_seconds):,.0f} s {way} the service's: set this machine's clock"
