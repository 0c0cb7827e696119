"""What is wrong with an adapter or an observer, found before it is registered.

pluggy checks little of what it registers: a misspelled hook is never called, ``**kwargs`` is filled with nothing, a write
that never happened answers None. Each function here is one such trap. They look at a class and run nothing of it; a
property is never evaluated.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeAlias

from connector_core.errors import ContractError
from connector_core.hookspecs import PROJECT, CrmHooks, Observers
from connector_core.manifest import MUST, OPERATIONS, CrmManifest

Hooks: TypeAlias = Mapping[str, tuple[str, ...]]


def _hooks(specification: type) -> Hooks:
    return {
        name: tuple(inspect.signature(function).parameters)[1:]
        for name, function in vars(specification).items()
        if hasattr(function, f"{PROJECT}_spec")
    }


CRM_HOOKS = _hooks(CrmHooks)
"""The hooks of a CRM, with the names of their parameters."""

OBSERVER_HOOKS = _hooks(Observers)


@dataclass(frozen=True, slots=True)
class Member:
    """A public attribute of a plugin, looked up without evaluating it. ``marks``: what ``@hookimpl`` left, if it did."""

    plugin: str
    name: str
    value: Any
    marks: Mapping[str, Any] | None

    @property
    def function(self) -> Any:
        """The function itself, below ``staticmethod`` or ``classmethod``."""
        return getattr(self.value, "__func__", self.value)

    @property
    def parameters(self) -> list[inspect.Parameter]:
        """Its parameters as the class states them, ``self`` included."""
        return list(inspect.signature(self.function).parameters.values())

    def refused(self, message: str) -> ContractError:
        """Say what is wrong with it, naming plugin and hook."""
        return ContractError(self.plugin, self.name, message)


def check_adapter(manifest: CrmManifest, adapter: object) -> None:
    """Refuse an adapter class that pluggy would take and that would not work.

    :raises ContractError: It names the plugin, the hook, what was got and what was wanted.
    """
    if not inspect.isclass(adapter):
        raise ContractError(manifest.name, "adapter", f"{manifest.adapter} is no class but a {type(adapter).__name__}")
    members = _members(manifest.name, adapter)
    _check_hashable(manifest.name, "adapter", adapter)
    _check_closes(manifest.name, members)
    _check_unmarked(members, CRM_HOOKS)
    implemented = [member for member in members if member.marks is not None]
    for member in implemented:
        _check_specname(member)
        _check_spelling(member, CRM_HOOKS, manifest.operations)
        _check_form(member)
        _check_names(member)
    _check_declared(manifest, {member.name for member in implemented}, members)


def check_observer(observer: object) -> str:
    """Refuse an observer that would answer for a CRM, or hear nothing; give its name for messages.

    :raises ContractError: It names the observer, the hook, what was got and what was wanted.
    """
    named = observer if isinstance(observer, type | ModuleType) else type(observer)
    plugin = f"observer {named.__name__}"
    members = _members(plugin, observer)
    _check_hashable(plugin, "observer", type(observer))
    _check_unmarked(members, OBSERVER_HOOKS)
    implemented = [member for member in members if member.marks is not None]
    for member in implemented:
        _check_specname(member)
        _check_spelling(member, OBSERVER_HOOKS, frozenset())
        _check_form(member)
    if not implemented:
        raise ContractError(plugin, "operation_finished", "not implemented: it would hear nothing")
    return plugin


def _members(plugin: str, owner: object) -> list[Member]:
    found = ((name, inspect.getattr_static(owner, name, None)) for name in dir(owner) if not name.startswith("_"))
    return [Member(plugin, name, value, _marks(value)) for name, value in found]


def _marks(value: object) -> Mapping[str, Any] | None:
    """Read the marks where pluggy does: on the method, or on the function below it."""
    if not _is_method(value):
        return None
    holders = (value, getattr(value, "__func__", None))
    return next((marks for holder in holders if (marks := getattr(holder, f"{PROJECT}_impl", None)) is not None), None)


def _is_method(value: object) -> bool:
    return inspect.isroutine(value) or isinstance(value, staticmethod | classmethod)


def _nearest(name: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, sorted(names), n=1)
    return f"; the nearest is {near[0]}" if near else ""


# -- traps of the class ------------------------------------------------------------------------------------------------


def _check_hashable(plugin: str, part: str, owner: type) -> None:
    """Refuse what compares by value: pluggy takes two equal plugins for one, and cannot list one without a hash."""
    if any("__eq__" in vars(base) for base in owner.__mro__[:-1]):
        raise ContractError(plugin, part, f"{owner.__name__} compares by value; wanted a plain class, no dataclass")


def _check_closes(plugin: str, members: Collection[Member]) -> None:
    if not any(member.name == "close" and _is_method(member.value) for member in members):
        raise ContractError(
            plugin, "close", "the adapter has no such method; wanted close(), which lets go of its connections"
        )


def _check_unmarked(members: Iterable[Member], hooks: Hooks) -> None:
    """Refuse a hook by name that is none: it would never be called, and the operation would answer None."""
    for member in members:
        if member.name not in hooks or member.marks is not None:
            continue
        if not _is_method(member.value):
            raise member.refused(f"is a {type(member.value).__name__}; wanted a method marked @hookimpl")
        raise member.refused("has the name of a hook and no mark; wanted @hookimpl")


def _check_declared(manifest: CrmManifest, implemented: Collection[str], members: Iterable[Member]) -> None:
    """Hold what the manifest declares against what the adapter has, both ways."""
    for name in sorted(MUST - manifest.operations):
        raise ContractError(manifest.name, name, "not among the operations of the manifest, and every CRM must have it")
    for name in sorted(manifest.operations - set(implemented)):
        near = _nearest(name, {member.name for member in members if member.name not in CRM_HOOKS})
        raise ContractError(manifest.name, name, f"declared in the manifest, and no hook of the adapter{near}")
    for name in sorted((set(implemented) & OPERATIONS) - manifest.operations):
        raise ContractError(manifest.name, name, "a hook of the adapter, and not declared in the manifest")


# -- traps of one hook -------------------------------------------------------------------------------------------------


def _check_specname(member: Member) -> None:
    """Refuse a second name for a hook: with two methods for one hook, one would answer in the other's stead."""
    if member.marks and member.marks.get("specname"):
        raise member.refused(f"marked as {member.marks['specname']} by specname; wanted a method of that name")


def _check_spelling(member: Member, hooks: Hooks, declared: Collection[str]) -> None:
    if member.name in hooks or (member.marks and member.marks.get("optionalhook")):
        return
    if member.name in declared:
        near = _nearest(member.name, hooks)
        raise member.refused(
            f"this core has no such hook{near}; one of a newer core wants @hookimpl(optionalhook=True)"
        )
    raise member.refused(f"marked @hookimpl, and no hook has this name{_nearest(member.name, hooks)}")


def _check_form(member: Member) -> None:
    for check in (_check_async, _check_wrapper, _check_keyword_only, _check_catch_all, _check_defaults):
        check(member)


def _check_async(member: Member) -> None:
    if inspect.iscoroutinefunction(member.function) or inspect.isasyncgenfunction(member.function):
        raise member.refused("is async, and would answer a coroutine; wanted a plain method (concurrency is threads)")


def _check_wrapper(member: Member) -> None:
    marks = member.marks or {}
    if marks.get("wrapper") or marks.get("hookwrapper") or inspect.isgeneratorfunction(member.function):
        raise member.refused("is a wrapper or a generator; wanted a method that answers by itself")


def _check_keyword_only(member: Member) -> None:
    """Refuse what pluggy cannot call: it passes arguments by place."""
    _refuse_kind(member, "keyword-only", {inspect.Parameter.KEYWORD_ONLY})


def _check_catch_all(member: Member) -> None:
    """Refuse ``**kwargs`` and ``*args``: pluggy leaves them empty."""
    _refuse_kind(member, "catch-all", {inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL})


def _refuse_kind(member: Member, word: str, kinds: Collection[Any]) -> None:
    names = [str(each.replace(annotation=each.empty)) for each in member.parameters if each.kind in kinds]
    if names:
        raise member.refused(f"takes {word} {', '.join(names)}; {_wanted(member)}")


def _check_defaults(member: Member) -> None:
    """Refuse default values: which of them a caller overrides has differed from one pluggy to the next."""
    names = [parameter.name for parameter in member.parameters if parameter.default is not parameter.empty]
    if names:
        raise member.refused(f"gives {', '.join(names)} a default value; {_wanted(member)}")


def _check_names(member: Member) -> None:
    """Refuse other names, or fewer: pluggy fills by name, and leaves out without a word what a method does not take."""
    taken = tuple(parameter.name for parameter in member.parameters)
    names = taken if isinstance(member.value, staticmethod) else taken[1:]
    if member.name in CRM_HOOKS and names != CRM_HOOKS[member.name]:
        raise member.refused(f"takes ({', '.join(names)}); {_wanted(member)}")


def _wanted(member: Member) -> str:
    parameters = CRM_HOOKS.get(member.name) or OBSERVER_HOOKS.get(member.name)
    return f"wanted ({', '.join(parameters)}), exactly" if parameters else "wanted plain parameters"
