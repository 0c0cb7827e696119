"""What an app without the right scope is told. Three forms of 403 were recorded."""

from __future__ import annotations

from connector_hubspot.sandbox.kinds import KINDS, Kind
from connector_hubspot.sandbox.portal import Portal
from connector_hubspot.sandbox.refusals import RefusalError
from connector_hubspot.sandbox.values import PORTAL_ID

OWNERS_SCOPE = "crm.objects.owners.read"
SCOPES = frozenset(
    {OWNERS_SCOPE, *(f"crm.objects.{kind.scope}.{right}" for kind in KINDS.values() for right in ("read", "write"))}
)
_EXPLAINED = "https://developers.hubspot.com/scopes"


def refuse_objects(portal: Portal, kind: Kind, right: str, *, granular: bool = False) -> None:
    """Refuse records of an object without its scope.

    :param granular: In the form that batches and searches were recorded with.
    :raises RefusalError: The scope is missing.
    """
    _refuse(portal, f"crm.objects.{kind.scope}.{right}", granular=granular)


def refuse_owners(portal: Portal) -> None:
    """Refuse owners without their scope.

    :raises RefusalError: The scope is missing.
    """
    _refuse(portal, OWNERS_SCOPE, granular=True)


def refuse_properties(portal: Portal, kind: Kind) -> None:
    """Refuse the description of an object whose records may not be read.

    :raises RefusalError: The scope is missing.
    """
    if f"crm.objects.{kind.scope}.read" in portal.missing_scopes:
        raise RefusalError(
            403,
            f"You do not have permissions to view object type ObjectTypeId{{legacyObjectType={kind.singular.upper()}}} "
            f"in portal {PORTAL_ID} (requires one of [{kind.scope}-read])",
        )


def _refuse(portal: Portal, scope: str, *, granular: bool) -> None:
    if scope not in portal.missing_scopes:
        return
    required = "One or more of the following scopes are required."
    if granular:
        context = {"requiredGranularScopes": [scope], "links": [_EXPLAINED]}
        raise RefusalError(403, required, "MISSING_SCOPES", context=context)
    raise RefusalError(
        403,
        f"This app hasn't been granted all required scopes to make this call. Read more about required scopes here: "
        f"{_EXPLAINED}.",
        "MISSING_SCOPES",
        errors=[
            {"message": required, "context": {"requiredScopes": [scope], "requiredGranularScopes": [scope]}},
        ],
        links={"scopes": _EXPLAINED},
    )
