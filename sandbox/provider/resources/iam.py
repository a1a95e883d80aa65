"""IAM: users, roles, policies and what attaches them."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from sandbox.provider.resources.base import Props, Resource, arguments, aws_names, properties


class User(Resource):
    """IAM user."""

    token = "aws:iam/user:User"
    service = "iam"
    regional = False
    inputs = frozenset({"name", "path", "forceDestroy"})
    outputs = frozenset({"arn", "uniqueId"})
    replace_on = frozenset({"name", "path"})
    kept = frozenset({"forceDestroy"})
    _names: ClassVar[Mapping[str, str]] = aws_names("path", "arn", name="UserName", uniqueId="UserId")

    def create(self, api: Any, props: Props) -> str:
        api.create_user(UserName=props["name"], Path=props.get("path", "/"))
        return props["name"]

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        return properties(api.get_user(UserName=id)["User"], self._names)

    def update(self, api: Any, id: str, props: Props) -> None:
        pass  # forceDestroy only says what a later delete may do

    def delete(self, api: Any, id: str, props: Props) -> None:
        api.delete_user(UserName=id)


class Policy(Resource):
    """IAM customer managed policy."""

    token = "aws:iam/policy:Policy"
    service = "iam"
    regional = False
    inputs = frozenset({"name", "path", "description", "policy"})
    outputs = frozenset({"arn", "policyId"})
    replace_on = frozenset({"name", "path", "description"})
    _names: ClassVar[Mapping[str, str]] = aws_names("path", "description", name="PolicyName")

    def create(self, api: Any, props: Props) -> str:
        made = api.create_policy(PolicyDocument=props["policy"], **arguments(props, self._names))
        return made["Policy"]["Arn"]

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        policy = api.get_policy(PolicyArn=id)["Policy"]
        version = api.get_policy_version(PolicyArn=id, VersionId=policy["DefaultVersionId"])
        document = json.dumps(version["PolicyVersion"]["Document"])
        live = properties(policy, {**self._names, **aws_names("arn", "policyId")})
        return live | {"policy": document}

    def update(self, api: Any, id: str, props: Props) -> None:
        old = api.get_policy(PolicyArn=id)["Policy"]["DefaultVersionId"]
        api.create_policy_version(PolicyArn=id, PolicyDocument=props["policy"], SetAsDefault=True)
        api.delete_policy_version(PolicyArn=id, VersionId=old)

    def delete(self, api: Any, id: str, props: Props) -> None:
        api.delete_policy(PolicyArn=id)


class Role(Resource):
    """IAM role."""

    token = "aws:iam/role:Role"
    service = "iam"
    regional = False
    inputs = frozenset(
        {"name", "path", "description", "assumeRolePolicy", "maxSessionDuration", "permissionsBoundary"}
    )
    outputs = frozenset({"arn", "uniqueId"})
    replace_on = frozenset({"name", "path"})
    _names: ClassVar[Mapping[str, str]] = aws_names(
        "path", "description", "maxSessionDuration", name="RoleName"
    )
    _documents: ClassVar[Mapping[str, str]] = aws_names(
        "permissionsBoundary", assumeRolePolicy="AssumeRolePolicyDocument"
    )

    def create(self, api: Any, props: Props) -> str:
        api.create_role(**arguments(props, {**self._names, **self._documents}))
        return props["name"]

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        role = api.get_role(RoleName=id)["Role"]
        return properties(role, {**self._names, **aws_names("arn", uniqueId="RoleId")}) | {
            "assumeRolePolicy": json.dumps(role["AssumeRolePolicyDocument"]),
            "permissionsBoundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        }

    def update(self, api: Any, id: str, props: Props) -> None:
        api.update_assume_role_policy(RoleName=id, PolicyDocument=props["assumeRolePolicy"])
        api.update_role(
            RoleName=id,
            Description=props.get("description", ""),
            MaxSessionDuration=props.get("maxSessionDuration", 3600),
        )
        if boundary := props.get("permissionsBoundary"):
            api.put_role_permissions_boundary(RoleName=id, PermissionsBoundary=boundary)
        else:
            api.delete_role_permissions_boundary(RoleName=id)

    def delete(self, api: Any, id: str, props: Props) -> None:
        api.delete_role(RoleName=id)


class _Attachment(Resource):
    """A managed policy attached to a principal."""

    service = "iam"
    regional = False
    principal: ClassVar[str]

    def create(self, api: Any, props: Props) -> str:
        self._call(api, "attach", props, PolicyArn=props["policyArn"])
        return f"{props[self.principal]}/{props['policyArn']}"

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        attached = self._call(api, "list_attached", props)["AttachedPolicies"]
        if props["policyArn"] not in {policy["PolicyArn"] for policy in attached}:
            return None
        return {self.principal: props[self.principal], "policyArn": props["policyArn"]}

    def delete(self, api: Any, id: str, props: Props) -> None:
        self._call(api, "detach", props, PolicyArn=props["policyArn"])

    def _call(self, api: Any, verb: str, props: Props, **parameters: str) -> Any:
        noun = "policies" if verb == "list_attached" else "policy"
        call = getattr(api, f"{verb}_{self.principal}_{noun}")
        return call(**{f"{self.principal.title()}Name": props[self.principal]}, **parameters)


class UserPolicyAttachment(_Attachment):
    """Managed policy on an IAM user."""

    token = "aws:iam/userPolicyAttachment:UserPolicyAttachment"
    principal = "user"
    inputs = replace_on = frozenset({"user", "policyArn"})


class RolePolicyAttachment(_Attachment):
    """Managed policy on an IAM role."""

    token = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    principal = "role"
    inputs = replace_on = frozenset({"role", "policyArn"})


class RolePolicy(Resource):
    """Inline policy of an IAM role."""

    token = "aws:iam/rolePolicy:RolePolicy"
    service = "iam"
    regional = False
    inputs = frozenset({"role", "name", "policy"})
    replace_on = frozenset({"role", "name"})

    def id_of(self, props: Props) -> str:
        return f"{props['role']}:{props['name']}"

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        role, name = id.split(":")
        live = api.get_role_policy(RoleName=role, PolicyName=name)
        return {"role": role, "name": name, "policy": json.dumps(live["PolicyDocument"])}

    def update(self, api: Any, id: str, props: Props) -> None:
        role, name = id.split(":")
        api.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=props["policy"])

    def delete(self, api: Any, id: str, props: Props) -> None:
        role, name = id.split(":")
        api.delete_role_policy(RoleName=role, PolicyName=name)
