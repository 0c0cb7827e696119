"""What people do with templates; each function is a verb of ``connector templates``."""

from __future__ import annotations

import datetime as dt
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from connector_core import discovery
from connector_core.cli import inputs
from connector_core.cli.output import DONE, INCOMPLETE, paragraph, say, say_json, styled, tell
from connector_core.cli.people import Opened, actor_of, call_ids_of, opened
from connector_core.errors import InputError
from connector_core.filler.trying import Tried
from connector_core.filling.outcomes import REASONS
from connector_core.filling.sentence import sentence
from connector_core.filling.templates import Targeting, Template
from connector_core.ledger.templates import Kept
from connector_core.model import Call, FieldDescription
from connector_core.template_desk import TemplateDesk
from connector_core.template_file import read_templates, write_templates

FILES = (".yaml", ".yml")


# -- looking -----------------------------------------------------------------------------------------------------------


def list_all(arguments: Namespace) -> int:
    """List the templates."""
    with opened(arguments) as it:
        kept = it.ledger.templates.list(arguments.connection)
    for one in kept:
        if arguments.json:
            say_json(_plain(one))
        else:
            _show_head(one)
    if not arguments.json:
        used = sum(one.published is not None for one in kept)
        say(f"{len(kept)} template{'' if len(kept) == 1 else 's'}, {used} published" if kept else "no templates")
    return DONE


def show(arguments: Namespace) -> int:
    """Show a template's newest version."""
    with opened(arguments) as it:
        kept = it.ledger.templates.get(arguments.connection, arguments.id)
    if arguments.json:
        say_json({**_plain(kept), "template": kept.newest.template.model_dump(mode="json")})
        return DONE
    _show_head(kept)
    for field in kept.newest.template.fields:
        where = f"{field.through} → {field.object}.{field.field}" if field.through else f"{field.object}.{field.field}"
        say(f"  {styled(field.key, 'bold')}  {where}  {field.mode}, overwrite {field.overwrite}")
        for label, text in (("prompt: ", field.prompt), *(("pattern: ", pattern) for pattern in field.patterns)):
            for number, line in enumerate(text.splitlines()):
                paragraph(line, indent="    ", label=label if number == 0 else " " * len(label))
    return DONE


def versions(arguments: Namespace) -> int:
    """List the versions of a template, the oldest first."""
    with opened(arguments) as it:
        known = it.ledger.templates.versions(arguments.connection, arguments.id)
        in_use = {(one.template.id, one.version) for one in it.ledger.templates.published(arguments.connection)}
    for one in known:
        used = (arguments.id, one.version) in in_use
        if arguments.json:
            head = {"id": arguments.id, "version": one.version, "at": one.at.isoformat(), "by": one.by}
            say_json({**head, "published": used, "template": one.template.model_dump(mode="json")})
        else:
            say(f"{one.version}  {one.at.isoformat(timespec='seconds')}  {one.by}{'  published' if used else ''}")
    return DONE


def export(arguments: Namespace) -> int:
    """Print the newest versions of templates as YAML."""
    with opened(arguments) as it:
        templates = it.ledger.templates
        kept = [templates.get(arguments.connection, key) for key in dict.fromkeys(arguments.ids)]
        kept = kept or list(templates.list(arguments.connection))
    if arguments.json:
        for one in kept:
            say_json({**_plain(one), "template": one.newest.template.model_dump(mode="json")})
    elif kept:
        for line in write_templates(one.newest.template for one in kept).removesuffix("\n").split("\n"):
            say(line)
    else:
        tell("no templates")
    return DONE


def _plain(kept: Kept) -> dict[str, Any]:
    newest = kept.newest
    return {
        "id": newest.template.id,
        "name": newest.template.name,
        "address": newest.template.address,
        "version": newest.version,
        "published": kept.published,
        "since": kept.since.isoformat() if kept.since else None,
        "by": newest.by,
        "at": newest.at.isoformat(),
        "targeting": _said(newest.template.targeting),
        "fields": len(newest.template.fields),
    }


def _show_head(kept: Kept) -> None:
    newest = kept.newest
    draft = "" if kept.published == newest.version else f"draft {newest.version}"
    used = "" if kept.published is None else f"published {kept.published}"
    say("  ".join(filter(None, [styled(newest.template.id, "bold"), newest.template.name, used, draft])))
    paragraph(_said(newest.template.targeting), indent="  ")
    if kept.published is not None and kept.since is not None:
        say(styled(f"  for calls since {_moment(kept.since)}", "dim"))


def _said(targeting: Targeting) -> str:
    titles = {name: found.manifest.title for name, found in discovery.providers().items() if found.manifest}
    return sentence(targeting, titles)


def _moment(moment: dt.datetime) -> str:
    return moment.isoformat(timespec="seconds")


# -- changing ----------------------------------------------------------------------------------------------------------


def bring_in(arguments: Namespace) -> int:
    """Keep the templates of files as drafts: all of them, or none where something is wrong."""
    actor, templates = actor_of(arguments), _read(arguments.files)
    with opened(arguments) as it:
        before = {one.newest.template.id: one.newest.version for one in it.ledger.templates.list(arguments.connection)}
        saved = TemplateDesk(it.ledger, it.connection).save(actor, templates)
    for key, version in saved.items():
        changed = before.get(key) != version
        if arguments.json:
            say_json({"id": key, "version": version, "changed": changed})
        else:
            say(f"{styled(key, 'bold')}  version {version}  {'draft' if changed else 'as it was'}")
    return DONE


def publish(arguments: Namespace) -> int:
    """Check a template against the CRM, and take it into use; what to know about it is told on standard error."""
    actor = actor_of(arguments)
    with opened(arguments) as it:
        since = _since(arguments.since, it)
        published, found = TemplateDesk(it.ledger, it.connection).publish(actor, arguments.id, since=since)
        kept = it.ledger.templates.get(arguments.connection, arguments.id)
    for warning in found.warnings:
        tell(warning)
    if arguments.json:
        say_json({**_plain(kept), "types": dict(published.types), "warnings": list(found.warnings)})
        return DONE
    _show_head(kept)
    for field in published.template.fields:
        say(f"  {styled(field.key, 'bold')}  {field.object}.{field.field}  {_taken(found.fields[field.key])}")
    return DONE


def _taken(described: FieldDescription) -> str:
    """Say what a field takes."""
    active = sum(it.active for it in described.values)
    bounds = [
        f"at most {described.length:,} characters" if described.length and described.type == "text" else "",
        f"{active} value{'' if active == 1 else 's'}" if described.type in ("choice", "choices") else "",
        ", ".join(described.refers_to),
    ]
    return ": ".join(filter(None, [described.type, *bounds]))


def unpublish(arguments: Namespace) -> int:
    """Make a draft of a template again."""
    actor = actor_of(arguments)
    with opened(arguments) as it:
        TemplateDesk(it.ledger, it.connection).unpublish(actor, arguments.id)
        kept = it.ledger.templates.get(arguments.connection, arguments.id)
    if arguments.json:
        say_json(_plain(kept))
    else:
        _show_head(kept)
    return DONE


def delete(arguments: Namespace) -> int:
    """Let go of a template that is not published."""
    actor = actor_of(arguments)
    with opened(arguments) as it:
        TemplateDesk(it.ledger, it.connection).delete(actor, arguments.id)
    if arguments.json:
        say_json({"id": arguments.id, "deleted": True})
    else:
        say(f"{styled(arguments.id, 'bold')}  deleted")
    return DONE


def _read(files: Sequence[str]) -> list[Template]:
    """Read all files.

    :raises InputError: With everything that is wrong in any of them.
    """
    found: dict[str, Template] = {}
    problems: list[str] = []
    for name in dict.fromkeys(files):
        try:
            for template in read_templates(_content(name), name):
                if template.id in found:
                    problems.append(f"{name}: id: template {template.id} stands in an earlier file too")
                found[template.id] = template
        except InputError as error:
            problems.append(str(error))
    if problems:
        raise InputError("\n".join(problems))
    return list(found.values())


def _content(name: str) -> bytes:
    if name == "-" and sys.stdin is None:
        raise InputError("standard input is closed")
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise InputError(f"{name}: cannot be read ({error.strerror})") from error


def _since(given: str | None, it: Opened) -> dt.datetime | None:
    """Read a day, or a time; without an offset it is the connection's zone's."""
    if given is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(given)
        if not 1900 <= moment.year < 3000:
            raise ValueError(given)
    except ValueError as error:
        wanted = "wanted a day like 2026-03-02, or a time like 2026-03-02T09:00:00Z"
        raise InputError(f"--since: {given!r} is no time; {wanted}") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(it.connection.association.time_zone))


# -- testing -----------------------------------------------------------------------------------------------------------


def test(arguments: Namespace) -> int:
    """Show what a template finds in calls; nothing is changed anywhere."""
    with opened(arguments) as it:
        desk = TemplateDesk(it.ledger, it.connection)
        template = _template(arguments, it)
        checked = desk.check(template)
        for text in (*checked.problems, *checked.warnings):
            tell(text)
        calls, unread = _calls(arguments, it)
        number, complete = _report(desk.test(template, calls), as_json=arguments.json)
    if not arguments.json:
        say(", ".join([f"{number} targeted of {len(calls)}", *inputs.unread(unread)]))
    return DONE if complete and not unread and not checked.problems else INCOMPLETE


def _template(arguments: Namespace, it: Opened) -> Template:
    name: str = arguments.template
    if not name.endswith(FILES):
        return it.ledger.templates.get(arguments.connection, name).newest.template
    templates = _read([name])
    if len(templates) > 1:
        raise InputError(f"{name}: has {len(templates)} templates, wanted one: import them, and test each by its id")
    return templates[0]


def _calls(arguments: Namespace, it: Opened) -> tuple[list[Call], int]:
    """Give the calls, and the number of lines that were none."""
    if arguments.ids:
        return list(_of_ledger(call_ids_of(arguments.calls), it)), 0
    config = inputs.file(arguments.config)
    read = [inputs.calls(Namespace(**{**vars(arguments), "calls": name}), config) for name in arguments.calls]
    calls = {call.id: call for one in read for call in one.calls}
    return list(calls.values()), sum(len(one.problems) for one in read)


def _of_ledger(call_ids: Sequence[str], it: Opened) -> Iterator[Call]:
    name = it.connection.connection.name
    standing = it.ledger.calls.of(name, call_ids)
    for call_id in call_ids:
        if call_id not in standing:
            raise InputError(f"connection {name}: has accepted no call {call_id}")
        call = standing[call_id].call
        if call is None:
            raise InputError(f"connection {name}: what call {call_id} said is not kept any more")
        yield call


def _report(tried: Iterable[Tried], *, as_json: bool) -> tuple[int, bool]:
    """Print what was found in each call; give how many were targeted, and whether all could be asked for."""
    targeted, complete = 0, True
    for one in tried:
        say_json(one.to_json()) if as_json else _show_tried(one)
        targeted += one.targeted
        complete &= one.complete
    return targeted, complete


def _show_tried(tried: Tried) -> None:
    say(f"{styled(tried.call_id, 'bold')}  {'targeted' if tried.targeted else styled('not targeted', 'dim')}")
    for field in tried.to_json()["fields"]:
        where = f"  {styled(field['key'], 'bold')}  {field['object']}.{field['field']}"
        if field["outcome"] is None:
            say(f"{where}  {styled(str(field['wanted']), 'green')}")
        else:
            why = ": ".join(filter(None, [REASONS.get(field["reason"]), field["detail"]])) or "nothing was found"
            say(f"{where}  {styled(why, 'dim' if field['outcome'] == 'empty' else 'yellow')}")
        if field["value"] is not None:
            paragraph(str(field["value"]), indent="    ", label="found: ")
        sure = "" if field["confidence"] is None else f" (confidence {field['confidence']:.0%})"
        if field["passage"]:
            paragraph(f"{field['passage']}{sure}", indent="    ", label="from: ", style="dim")
