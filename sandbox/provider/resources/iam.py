"""IAM: users, roles, policies and what attaches them."""

import json
from typing import Any, ClassVar

from sandbox.provider.resources.base import Named, Props, Resource, arguments, aws_names, properties


class _Global(Resource):
    service = "iam"
    regional = False


class User(_Global, Named):
    """IAM user."""

    token = "aws:iam/user:User"
    noun, key = "user", "UserName"
    inputs = frozenset({"name", "path", "forceDestroy"})
    outputs = frozenset({"arn", "uniqueId"})
    replace_on = frozenset({"name", "path"})
    kept = frozenset({"forceDestroy"})  # it only says what a later delete may do
    names = aws_names("path", "arn", name="UserName", uniqueId="UserId")

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        return properties(api.get_user(UserName=id)["User"], self.names)


class Policy(_Global):
    """IAM customer managed policy."""

    token = "aws:iam/policy:Policy"
    noun, key = "policy", "PolicyArn"
    inputs = frozenset({"name", "path", "description", "policy"})
    outputs = frozenset({"arn", "policyId"})
    replace_on = frozenset({"name", "path", "description"})
    names = aws_names("path", "description", "arn", "policyId", name="PolicyName")

    def create(self, api: Any, props: Props) -> str:
        made = api.create_policy(PolicyDocument=props["policy"], **arguments(props, self.names))
        return made["Policy"]["Arn"]

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        policy = api.get_policy(PolicyArn=id)["Policy"]
        version = api.get_policy_version(PolicyArn=id, VersionId=policy["DefaultVersionId"])
        return properties(policy, self.names) | {"policy": json.dumps(version["PolicyVersion"]["Document"])}

    def update(self, api: Any, id: str, props: Props) -> None:
        old = api.get_policy(PolicyArn=id)["Policy"]["DefaultVersionId"]
        api.create_policy_version(PolicyArn=id, PolicyDocument=props["policy"], SetAsDefault=True)
        api.delete_policy_version(PolicyArn=id, VersionId=old)


class Role(_Global, Named):
    """IAM role."""

    token = "aws:iam/role:Role"
    noun, key = "role", "RoleName"
    names = aws_names(
        *("path", "description", "maxSessionDuration", "permissionsBoundary"),
        name="RoleName", assumeRolePolicy="AssumeRolePolicyDocument",
    )  # fmt: skip
    inputs = frozenset(names)
    outputs = frozenset({"arn", "uniqueId"})
    replace_on = frozenset({"name", "path"})

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        role = api.get_role(RoleName=id)["Role"]
        return properties(role, self.names) | {
            "arn": role["Arn"],
            "uniqueId": role["RoleId"],
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


class _Attachment(_Global):
    """A managed policy attached to a principal."""

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


class RolePolicy(_Global):
    """Inline policy of an IAM role. Its id is `role:name`."""

    token = "aws:iam/rolePolicy:RolePolicy"
    noun = "role_policy"
    inputs = frozenset({"role", "name", "policy"})
    replace_on = frozenset({"role", "name"})

    def id_of(self, props: Props) -> str:
        return f"{props['role']}:{props['name']}"

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        live = api.get_role_policy(**self.address(id))
        document = json.dumps(live["PolicyDocument"])
        return {"role": live["RoleName"], "name": live["PolicyName"], "policy": document}

    def update(self, api: Any, id: str, props: Props) -> None:
        api.put_role_policy(**self.address(id), PolicyDocument=props["policy"])

    def address(self, id: str) -> dict[str, str]:
        role, name = id.split(":")
        return {"RoleName": role, "PolicyName": name}
