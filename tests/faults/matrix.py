"""The faults, each with what is done to inject it."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TypeAlias

from tests.bad_day import CHANGE, CREATE, LOOK_UP
from tests.faults.driver import OF_NEIGHBOUR
from tests.faults.stage import TYPED, Injected, Stage

Fault: TypeAlias = Callable[[Stage], Injected]
"""Injects a fault, sees to it that everything settles, and says in a few words what was injected."""

NEIGHBOURS = 20

POINTS = ("accepted", "claimed", "decided", "noted", "sent", "kept")


def none(stage: Stage) -> Injected:
    """Inject nothing."""
    stage.finish()
    return Injected("nothing")


def killed_at(point: str) -> Fault:
    """Kill the process where it gets to a point for the second time."""

    def inject(stage: Stage) -> Injected:
        killed = stage.start(at=(point, 2))
        code = killed.wait(120)
        if code != -signal.SIGKILL:
            raise RuntimeError(f"it was not killed at {point}, and ended with {code}")
        stage.finish()
        return Injected(f"SIGKILL at {point}")

    return inject


def killed_at_random(seconds: float) -> Fault:
    """Kill the process again and again, for so long."""

    def inject(stage: Stage) -> Injected:
        chance = random.Random(7)  # noqa: S311 - a repeatable run, not a secret
        stage.fail({"do": {"delay_seconds": 0.05}})
        until, kills = time.monotonic() + seconds, 0
        while time.monotonic() < until:
            driver = stage.start(batch=2, lease_seconds=2.0)
            time.sleep(2.0 + 4.0 * chance.random())
            kills += driver.poll() is None
            driver.kill()
            driver.wait()
        stage.fail()
        stage.finish()
        return Injected(f"{kills} SIGKILLs at random in {seconds:.0f} s")

    return inject


def stopped_past_the_lease(stage: Stage) -> Injected:
    """Stop a process just before it sends, for longer than its lease, while another one works; then let it go on."""
    stopped = stage.start(at=("noted", 2), signal="SIGSTOP", lease_seconds=2.0)
    _wait_until_stopped(stopped)
    other = stage.start(lease_seconds=2.0)
    time.sleep(4.0)
    os.kill(stopped.pid, signal.SIGCONT)
    for driver in (stopped, other):
        stage.finish(driver)
    return Injected("SIGSTOP past the lease, another process, SIGCONT")


def answered_badly(what: str, *rules: Mapping[str, object], **orders: object) -> Fault:
    """Let the sandbox answer as the rules say."""

    def inject(stage: Stage) -> Injected:
        stage.fail(*({**rule, "match": _match(stage, rule)} for rule in rules))
        stage.finish(**orders)
        return Injected(what)

    return inject


def expired_session(stage: Stage) -> Injected:
    """Let the session expire while batches are in flight: one refresh is enough for all of them."""
    stage.fail(
        {"match": LOOK_UP[stage.crm], "times": 1, "do": {"expire_session": True}}, {"do": {"delay_seconds": 0.1}}
    )
    before = stage.sign_ins
    stage.finish(batch=10)
    refreshes = stage.sign_ins - before
    return Injected(f"the session expired, batches in flight: {refreshes} refresh", wrong=abs(refreshes - 1))


def naive_killed(stage: Stage) -> Injected:
    """Kill the naive script three times, and start it again."""
    stage.fail({"do": {"index_lag_seconds": 3.0}})
    for _ in range(3):
        script = stage.naive()
        time.sleep(3.0)
        script.kill()
        script.wait()
    stage.naive().wait()
    return Injected("killed 3 times, searches lag 3 s")


def naive_lost_answers(stage: Stage) -> Injected:
    """Lose a tenth of the answers of the naive script's writes."""
    create = {"salesforce": "*/Task/", "hubspot": "*/objects/calls"}[stage.crm]
    match = {"method": "POST", "path": create}
    stage.fail(
        {"times": 1, "do": {"index_lag_seconds": 3.0}},
        {"match": match, "share": 0.1, "do": {"drop_after_commit": True}},
    )
    stage.naive().wait()
    return Injected("10 % of answers lost, searches lag 3 s")


def delivered_often(stage: Stage) -> Injected:
    """Deliver every call five times, shuffled, to two processes at once."""
    drivers = [stage.start(deliveries=5, seed=seed) for seed in (1, 2)]
    for driver in drivers:
        stage.finish(driver)
    return Injected("each call delivered 5 times to each of 2 processes, shuffled")


def clock_steps(stage: Stage) -> Injected:
    """Let the clock jump by an hour, there and back, every second."""
    stage.fail({"do": {"delay_seconds": 0.05}})
    stage.finish(clock_steps=(0.0, 3600.0, -3600.0))
    return Injected("the clock steps by an hour, both ways, every second")


def ledger_locked(stage: Stage) -> Injected:
    """Keep another process's lock on the SQLite file for a while."""
    driver = stage.start(at=None)
    time.sleep(1.5)
    with sqlite3.connect(stage.ledger.removeprefix("sqlite:///"), isolation_level=None) as other:
        other.execute("begin immediate")
        time.sleep(6.0)
        other.execute("rollback")
    stage.finish(driver)
    return Injected("the ledger locked by another process for 6 s")


def two_processes(stage: Stage) -> Injected:
    """Let two processes work on one ledger."""
    for driver in [stage.start(seed=seed) for seed in (1, 2)]:
        stage.finish(driver)
    return Injected("two processes on one ledger")


def restarted(stage: Stage) -> Injected:
    """Restart PostgreSQL in the middle of a batch, as a crash would."""
    stage.fail({"do": {"delay_seconds": 0.1}})
    driver = stage.start()
    time.sleep(4.0)
    for _ in range(3):
        stage.databases.restart()
        time.sleep(1.5)
    stage.fail()
    stage.finish(driver)
    return Injected("PostgreSQL crashed and restarted 3 times mid-batch")


def disk_full(stage: Stage) -> Injected:
    """Put the ledger on a small disk that is full for a while."""
    disk = stage.folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)], check=True)  # noqa: S603, S607 - our own folder
    try:
        stage.ledger = f"sqlite:///{disk}/ledger.db"
        driver = stage.start()
        time.sleep(2.0)
        filler = disk / "filler"
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(b"x" * 4096):
                pass
        time.sleep(4.0)
        filler.unlink()
        stage.finish(driver)
        return Injected("disk full for 4 s")
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)  # noqa: S603, S607 - likewise


def patched(what: str, *, delete: bool = False, merge: bool = False) -> Fault:
    """Change a contact behind the connector's back, between look-up and write."""

    def inject(stage: Stage) -> Injected:
        ids = stage.ask("ids")
        contact, other = _guests(stage)[:2]
        name = {"salesforce": "Contact", "hubspot": "contacts"}[stage.crm]
        patch = {"object": name, "id": ids[contact], "delete": delete, "merge_into": ids[other] if merge else None}
        stage.fail({"match": CREATE[stage.crm], "times": 1, "do": {"patch": patch}})
        stage.finish()
        people = {f"person{it[1:]}@" for it in (contact, other)} | {_digits(contact), _digits(other)}
        concerned = {call["id"] for call in stage.calls if any(it in json.dumps(call) for it in people)}
        return Injected(what, frozenset(concerned), gone=frozenset([ids[contact]]))

    return inject


def converted(stage: Stage) -> Injected:
    """Convert a lead that a call is about between look-up and write; Salesforce links nothing new to it any more."""
    email = re.findall(r"stranger[\w-]+@nowhere\.example", json.dumps(stage.calls[:40]))[0]
    lead = stage.create("Lead", {"LastName": "Stranger", "Company": "Nowhere", "Email": email})
    fields = {"IsConverted": True, "ConvertedContactId": stage.ask("ids")[_guests(stage)[0]]}
    patch = {"object": "Lead", "id": lead, "fields": fields}
    stage.fail({"match": CREATE[stage.crm], "times": 1, "do": {"patch": patch}})
    stage.finish()
    concerned = frozenset(call["id"] for call in stage.calls if email in json.dumps(call))
    return Injected("a lead converted between look-up and write", concerned, gone=frozenset([lead]))


def edited(stage: Stage) -> Injected:
    """Let a person edit an activity between look-up and the look just before the change."""
    ids = stage.ask("ids")
    seeded = min(it for it in ids if it.startswith("T"))
    words = f"{TYPED}, who came back"
    fields = {"salesforce": ("Task", "Description"), "hubspot": ("calls", "hs_call_body")}[stage.crm]
    patch = {"object": fields[0], "id": ids[seeded], "fields": {fields[1]: words}}
    again = {"salesforce": "*FROM%20Task%20WHERE%20Id%20IN*", "hubspot": f'*"{ids[seeded]}"*'}[stage.crm]
    path = {"salesforce": "*/composite", "hubspot": "*/calls/batch/read"}[stage.crm]
    times = {"match": {"path": path, "body": again}, "times": 1, "do": {"patch": patch}}
    stage.fail(times)
    stage.finish()
    kept = words in json.dumps(stage.ask("records"))
    return Injected("a person's edit just before the change", overwritten=0 if kept else 1)


def _guests(stage: Stage) -> list[str]:
    """Give the contacts of the world whose guests are in the first calls, by e-mail."""
    found = re.findall(r"person(\d+)@", json.dumps(stage.calls[:40]))
    return [f"C{number}" for number in dict.fromkeys(found)]


def _digits(contact: str) -> str:
    number = int(contact[1:])
    return f"+3363998{number // 100:02}{number % 100:02}"


def beside_a_backlog(stage: Stage) -> Injected:
    """Give one connection all calls but some, and twenty others five each."""
    driver = stage.start(neighbours=NEIGHBOURS)
    began = time.monotonic()
    stage.finish(driver)
    small = json.loads((stage.folder / "driver.out").read_text())["small"]
    whole = time.monotonic() - began
    backlog = len(stage.calls) - NEIGHBOURS * OF_NEIGHBOUR
    return Injected(f"{NEIGHBOURS} small connections done after {small:.0f} s of {whole:.0f} s, beside {backlog:,}")


def _match(stage: Stage, rule: Mapping[str, object]) -> Mapping[str, str]:
    return {"look up": LOOK_UP, "create": CREATE, "change": CHANGE}[str(rule["match"])][stage.crm]


def _wait_until_stopped(driver: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        with open(f"/proc/{driver.pid}/stat") as stat:  # noqa: PTH123 - no file of ours
            if stat.read().rpartition(")")[2].split()[0] == "T":
                return
        time.sleep(0.1)
    raise RuntimeError("it did not stop")


LIMIT = {"status": 429, "body": {"policyName": "SECONDLY", "message": "limit"}}


def _later(seconds: float) -> str:
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + seconds))


FAULTS: Mapping[str, Fault] = {
    "none": none,
    **{f"killed at {point}": killed_at(point) for point in POINTS},
    "killed at random": killed_at_random(60.0),
    "stopped past the lease": stopped_past_the_lease,
    "lost answers": answered_badly(
        "the CRM committed, the answer was lost, 10 % of writes",
        {"match": "create", "share": 0.1, "do": {"drop_after_commit": True}},
        {"match": "create", "do": {"index_lag_seconds": 2.0}},
    ),
    "late commits": answered_badly(
        "3 writes committed after the client's time-out",
        {"match": "create", "times": 3, "do": {"commit_late_seconds": 3.0}},
    ),
    "429 in seconds": answered_badly(
        "429 with Retry-After in seconds, 4 times",
        {"match": "create", "times": 4, "do": {**LIMIT, "headers": {"Retry-After": "1"}}},
    ),
    "429 as a date": answered_badly(
        "429 with Retry-After as a date, 4 times",
        {"match": "create", "times": 4, "do": {**LIMIT, "headers": {"Retry-After": _later(8)}}},
    ),
    "429 bare": answered_badly("429 without Retry-After, 4 times", {"match": "create", "times": 4, "do": LIMIT}),
    "503 bursts": answered_badly(
        "503 for half of the requests, 12 times",
        {"match": "create", "times": 6, "share": 0.5, "do": {"status": 503}},
        {"match": "look up", "times": 6, "share": 0.5, "do": {"status": 503}},
    ),
    "row locks": answered_badly(
        "row locks in 20 % of rows, 3 times",
        {"match": "create", "share": 0.2, "times": 3, "do": {"row_error": "UNABLE_TO_LOCK_ROW"}},
    ),
    "expired session": expired_session,
    "wrong length": answered_badly(
        "an answer of the wrong length, twice", {"match": "create", "times": 2, "do": {"status": 200, "body": []}}
    ),
    "delivered often": delivered_often,
    "clock steps": clock_steps,
    "ledger locked": ledger_locked,
    "two processes": two_processes,
    "deleted": patched("a contact deleted between look-up and write", delete=True),
    "merged": patched("a contact merged between look-up and write", merge=True),
    "converted": converted,
    "edited": edited,
    "beside a backlog": beside_a_backlog,
    "disk full": disk_full,
    "restarted": restarted,
}

TIMES: Mapping[str, int] = {"beside a backlog": 50}
"""How many times the calls of the others a fault takes."""

NAIVE: Mapping[str, Fault] = {"killed": naive_killed, "lost answers": naive_lost_answers}
"""Some of them, for the naive script."""

CRMS: Mapping[str, tuple[str, ...]] = {"converted": ("salesforce",)}
"""In which CRMs a fault can happen, if not in all."""

DATABASES: Mapping[str, tuple[str, ...]] = {
    "clock steps": ("sqlite",),
    "ledger locked": ("sqlite",),
    "disk full": ("sqlite",),
    "restarted": ("postgres",),
}
"""Where a fault can happen, if not everywhere."""
