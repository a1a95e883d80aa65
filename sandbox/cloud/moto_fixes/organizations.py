"""Organizations: accounts of the sandbox belong to none, unless one is created."""

from typing import Any

from moto.organizations.exceptions import AWSOrganizationsNotInUseException
from moto.organizations.models import OrganizationsBackend

from sandbox.cloud.moto_fixes.replacing import Function, corrects


@corrects(OrganizationsBackend, "list_accounts")
@corrects(OrganizationsBackend, "list_aws_service_access_for_organization")
@corrects(OrganizationsBackend, "list_delegated_administrators")
@corrects(OrganizationsBackend, "list_policies")
def listed(original: Function, backend: Any, *arguments: Any, **named: Any) -> Any:
    """Without an organisation there is nothing to list; moto answers an empty list, as of an empty one.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html
    """
    if backend.org is None:
        raise AWSOrganizationsNotInUseException
    return original(backend, *arguments, **named)
