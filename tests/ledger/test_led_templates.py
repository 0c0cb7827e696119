"""Templates: every version stays, one is in use, its calls are due, and who did it is known."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from ledger_bench import ACME, Bench, call

from connector_core.errors import InputError
from connector_core.filling.templates import Template
from connector_core.ledger.people import Actor
from connector_core.ledger.schema_filling import fills
from connector_core.ledger.templates import Published
from connector_core.model import FieldType

MIA = Actor("Mia", "manager")
MARCH = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
TYPES: dict[str, FieldType] = {"next_step": "text"}


def template(template_id: str = "demo", **more: Any) -> Template:
    """Make a template with one field."""
    field = {"key": "next_step", "object": "opportunity", "field": "next_step"}
    return Template.model_validate({"id": template_id, "name": "Demo calls", "fields": [field], **more})


def due(at: Bench) -> dict[str, int]:
    """Give the mark of each call that is due to be filled."""
    return {row.call_id: row.mark for row in at.rows(sa.select(fills))}


def audit(at: Bench) -> list[tuple[str, str, Any, Any]]:
    """Give who did what to the connection."""
    rows = at.ledger.people.audit_of(ACME, None)
    return [(row["by"], row["action"], row["before"], row["after"]) for row in rows]


# -- versions


def test_each_change_is_a_version_that_stays(at: Bench) -> None:
    """Numbered from 1, with who kept it and when."""
    templates = at.ledger.templates
    assert (templates.save(ACME, MIA, template()), templates.save(ACME, MIA, template(name="Demos"))) == (1, 2)

    versions = templates.versions(ACME, "demo")
    assert [(it.version, it.template.name, it.by) for it in versions] == [(1, "Demo calls", "Mia"), (2, "Demos", "Mia")]
    assert versions[0].at <= versions[1].at <= at.ledger.now()


def test_the_same_content_is_no_new_version(at: Bench) -> None:
    """Whoever keeps it once more; what it was before the newest is a change again."""
    templates = at.ledger.templates
    templates.save(ACME, MIA, template())
    assert templates.save(ACME, Actor("Ben", "admin"), template()) == 1
    templates.save(ACME, MIA, template(name="Demos"))
    assert templates.save(ACME, MIA, template()) == 3
    assert len(audit(at)) == 3


def test_a_version_is_read_as_it_was_kept(at: Bench) -> None:
    """With all that a template may say, in any script."""
    field = {"key": "x", "object": "Project__c", "through": "opportunity.Project__c", "field": "Größe__c",
             "prompt": "What?\n \0 \U0001f600", "mode": "manual", "overwrite": "empty", "patterns": [r"\d+"]}  # fmt: skip
    targeting = {"teams": ["Été"], "kinds": ["phone"], "directions": ["inbound"], "shortest_seconds": 90}
    rich = template(fields=[field], targeting=targeting, address="https://templates.example/1")
    at.ledger.templates.save(ACME, MIA, rich)

    assert at.ledger.templates.get(ACME, "demo").newest.template == rich


def test_templates_are_listed_by_id(at: Bench) -> None:
    """Those of this connection alone."""
    for connection, name in ((ACME, "b"), (ACME, "a"), ("other", "c")):
        at.ledger.templates.save(connection, MIA, template(name))

    assert [it.newest.template.id for it in at.ledger.templates.list(ACME)] == ["a", "b"]


@pytest.mark.parametrize(
    ("asked", "offered"),
    [
        ("demos", "connection acme: has no template demos: did you mean demo?"),
        ("x", "connection acme: has no template x; it has demo"),
    ],
)
def test_a_template_that_is_not_there_is_told(at: Bench, asked: str, offered: str) -> None:
    """With what is near, or with all; nothing changes."""
    templates = at.ledger.templates
    templates.save(ACME, MIA, template())
    told = []
    for ask in (
        lambda: templates.get(ACME, asked),
        lambda: templates.versions(ACME, asked),
        lambda: templates.publish(ACME, MIA, asked, types=TYPES),
        lambda: templates.unpublish(ACME, MIA, asked),
        lambda: templates.delete(ACME, MIA, asked),
    ):
        with pytest.raises(InputError) as refused:
            ask()
        told.append(str(refused.value))

    assert (told, len(audit(at))) == ([offered] * 5, 1)


def test_two_that_keep_at_once_make_two_versions(at: Bench) -> None:
    """Neither is lost, nor fails."""
    names = [f"Name {number}" for number in range(8)]
    with ThreadPoolExecutor(len(names)) as pool:
        numbers = pool.map(lambda name: at.ledger.templates.save(ACME, MIA, template(name=name)), names)

    assert sorted(numbers) == list(range(1, 9))
    assert sorted(it.template.name for it in at.ledger.templates.versions(ACME, "demo")) == names


# -- publishing


def test_a_draft_is_not_in_use(at: Bench) -> None:
    """Until it is published."""
    at.ledger.templates.save(ACME, MIA, template())
    kept = at.ledger.templates.get(ACME, "demo")

    assert (kept.published, kept.since, at.ledger.templates.published(ACME)) == (None, None, ())


def test_what_is_published_is_in_use_from_now_on(at: Bench) -> None:
    """With what the CRM said of its fields; the calls before it are left alone."""
    at.run(call())
    at.ledger.templates.save(ACME, MIA, template())
    before = at.ledger.now()
    made = at.ledger.templates.publish(ACME, MIA, "demo", types=TYPES)

    assert made == Published(template(), 1, made.since, TYPES)
    assert before <= made.since <= at.ledger.now()
    assert (at.ledger.templates.published(ACME), due(at)) == ((made,), {})


def test_published_templates_are_given_by_id(at: Bench) -> None:
    """Those of this connection that are in use."""
    for connection, name in ((ACME, "b"), (ACME, "a"), ("other", "c"), (ACME, "draft")):
        at.ledger.templates.save(connection, MIA, template(name))
        if name != "draft":
            at.ledger.templates.publish(connection, MIA, name, types=TYPES)

    assert [it.template.id for it in at.ledger.templates.published(ACME)] == ["a", "b"]


def test_a_newer_draft_leaves_the_published_version_in_use(at: Bench) -> None:
    """Until it is published as well; it is shown beside it."""
    templates = at.ledger.templates
    templates.save(ACME, MIA, template())
    templates.publish(ACME, MIA, "demo", types=TYPES)
    templates.save(ACME, MIA, template(name="Demos"))
    kept = templates.get(ACME, "demo")
    assert (kept.newest.version, kept.published) == (2, 1)
    assert [(it.template.name, it.version) for it in templates.published(ACME)] == [("Demo calls", 1)]

    templates.publish(ACME, MIA, "demo", types=TYPES)
    assert [(it.template.name, it.version) for it in templates.published(ACME)] == [("Demos", 2)]


def test_what_it_is_for_never_begins_later(at: Bench) -> None:
    """Nor by being unpublished meanwhile; earlier it may."""
    templates = at.ledger.templates
    templates.save(ACME, MIA, template())
    begun = templates.publish(ACME, MIA, "demo", types=TYPES).since
    assert templates.publish(ACME, MIA, "demo", types=TYPES, since=begun + dt.timedelta(days=1)).since == begun
    templates.unpublish(ACME, MIA, "demo")
    assert templates.publish(ACME, MIA, "demo", types=TYPES).since == begun
    assert templates.publish(ACME, MIA, "demo", types=TYPES, since=MARCH).since == MARCH
    assert templates.publish(ACME, MIA, "demo", types=TYPES).since == MARCH


def test_what_is_unpublished_is_a_draft(at: Bench) -> None:
    """Twice is once."""
    templates = at.ledger.templates
    templates.save(ACME, MIA, template())
    since = templates.publish(ACME, MIA, "demo", types=TYPES).since
    templates.unpublish(ACME, MIA, "demo")
    templates.unpublish(ACME, MIA, "demo")

    kept = templates.get(ACME, "demo")
    assert (kept.published, kept.since, templates.published(ACME)) == (None, since, ())
    assert [action for _, action, *_ in audit(at)] == ["save template", "publish template", "unpublish template"]


def test_a_time_without_an_offset_is_refused(at: Bench) -> None:
    """It would be another one on another machine."""
    at.ledger.templates.save(ACME, MIA, template())
    with pytest.raises(InputError, match="wanted an aware time"):
        at.ledger.templates.publish(ACME, MIA, "demo", types=TYPES, since=MARCH.replace(tzinfo=None))
    assert at.ledger.templates.published(ACME) == ()


def test_a_version_that_nobody_looked_at_is_not_published(at: Bench) -> None:
    """Somebody kept a newer one after the check."""
    templates = at.ledger.templates
    templates.save(ACME, MIA, template())
    templates.save(ACME, MIA, template(name="Demos"))
    with pytest.raises(InputError, match="template demo: was changed meanwhile, it has version 2 now"):
        templates.publish(ACME, MIA, "demo", types=TYPES, version=1)
    assert templates.published(ACME) == ()


# -- deleting


def test_what_is_deleted_is_there_no_more_and_its_versions_stay(at: Bench) -> None:
    """Another connection's stays whole; who deleted it is known."""
    templates = at.ledger.templates
    templates.save(ACME, MIA, template())
    templates.save("other", MIA, template())
    templates.delete(ACME, Actor("Ben", "admin"), "demo")

    assert [len(templates.list(name)) for name in (ACME, "other")] == [0, 1]
    assert [it.version for it in templates.versions(ACME, "demo")] == [1]
    assert audit(at)[1:] == [("Ben", "delete template", {"template": "demo", "version": 1}, None)]


def test_what_is_published_cannot_be_deleted(at: Bench) -> None:
    """It is to be unpublished first: somebody may be waiting for what it fills."""
    templates = at.ledger.templates
    templates.save(ACME, MIA, template())
    templates.publish(ACME, MIA, "demo", types=TYPES)
    with pytest.raises(InputError, match="template demo is published; unpublish it first"):
        templates.delete(ACME, MIA, "demo")

    assert len(templates.published(ACME)) == 1


def test_what_was_deleted_and_is_kept_once_more_counts_its_versions_on(at: Bench) -> None:
    """Outcomes name the version that they are of; what it was for before is forgotten."""
    templates = at.ledger.templates
    templates.save(ACME, MIA, template())
    templates.publish(ACME, MIA, "demo", types=TYPES, since=MARCH)
    templates.unpublish(ACME, MIA, "demo")
    templates.delete(ACME, MIA, "demo")

    assert templates.save(ACME, MIA, template()) == 2
    assert templates.get(ACME, "demo").since is None


# -- the calls that become due


def test_settled_calls_since_then_become_due(at: Bench) -> None:
    """What is written or rejected, and started then or later; what is still worked on comes by itself."""
    at.run(call(1), call(2), call(3))
    at.accept(call(4))
    at.ledger.templates.save(ACME, MIA, template())
    at.ledger.templates.publish(ACME, MIA, "demo", types=TYPES, since=call(2).started_at)

    assert due(at) == {"x:2": 1, "x:3": 1}
    assert all(row.due_at <= at.ledger.now() and row.tries == 0 for row in at.rows(sa.select(fills)))


def test_calls_become_due_anew_with_each_version(at: Bench) -> None:
    """And with each earlier beginning; where nothing changed, nothing is due anew."""
    templates = at.ledger.templates
    at.run(call(1), call(2))
    templates.save(ACME, MIA, template())
    templates.publish(ACME, MIA, "demo", types=TYPES, since=call(2).started_at)
    templates.publish(ACME, MIA, "demo", types=TYPES)
    assert due(at) == {"x:2": 1}
    templates.publish(ACME, MIA, "demo", types=TYPES, since=MARCH)
    assert due(at) == {"x:1": 1, "x:2": 2}
    templates.save(ACME, MIA, template(name="Demos"))
    templates.publish(ACME, MIA, "demo", types=TYPES)
    assert due(at) == {"x:1": 2, "x:2": 3}


def test_a_call_that_was_put_off_is_due_at_once(at: Bench) -> None:
    """As if it never was."""
    templates = at.ledger.templates
    at.run(call())
    templates.save(ACME, MIA, template())
    templates.publish(ACME, MIA, "demo", types=TYPES, since=MARCH)
    with at.ledger.database.writing() as step:
        step.execute(sa.update(fills).values(tries=3, due_at=at.ledger.now() + dt.timedelta(hours=1)))
    templates.save(ACME, MIA, template(name="Demos"))
    templates.publish(ACME, MIA, "demo", types=TYPES)

    (row,) = at.rows(sa.select(fills))
    assert (row.mark, row.tries, row.since) == (2, 0, row.due_at)
    assert row.due_at <= at.ledger.now()


def test_a_pump_is_woken_within_the_step(at: Bench) -> None:
    """By what makes calls due."""
    woken: list[str] = []
    at.ledger.templates.save(ACME, MIA, template())
    at.ledger.templates.publish(ACME, MIA, "demo", types=TYPES, wake=lambda name, _: woken.append(name))

    assert woken == [ACME]


# -- who may


def test_users_write_no_templates(at: Bench) -> None:
    """Admins and managers do."""
    templates, ada = at.ledger.templates, Actor("Ada", "user")
    templates.save(ACME, MIA, template())
    templates.publish(ACME, Actor("Ben", "admin"), "demo", types=TYPES)
    for act in (
        lambda: templates.save(ACME, ada, template(name="Demos")),
        lambda: templates.publish(ACME, ada, "demo", types=TYPES),
        lambda: templates.unpublish(ACME, ada, "demo"),
        lambda: templates.delete(ACME, ada, "demo"),
    ):
        with pytest.raises(InputError, match="it takes an admin or a manager"):
            act()

    kept = templates.get(ACME, "demo")
    assert (kept.newest.version, kept.published, len(audit(at))) == (1, 1, 2)


def test_who_did_what_is_kept(at: Bench) -> None:
    """With what was before, and what after."""
    templates = at.ledger.templates
    templates.save(ACME, MIA, template())
    templates.publish(ACME, MIA, "demo", types=TYPES, since=MARCH)
    templates.unpublish(ACME, Actor("Ben", "admin"), "demo")

    draft = {"template": "demo", "published": None, "since": None}
    used = {"template": "demo", "published": 1, "since": "2026-03-01T00:00:00+00:00"}
    assert audit(at) == [
        ("Mia", "save template", None, {"template": "demo", "version": 1}),
        ("Mia", "publish template", draft, used),
        ("Ben", "unpublish template", used, {**used, "published": None}),
    ]
