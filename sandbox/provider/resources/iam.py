"""IAM: users, roles, policies and what attaches them."""

import json
import secrets
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


class Group(_Global, Named):
    """IAM group."""

    token = "aws:iam/group:Group"
    noun, key = "group", "GroupName"
    inputs = replace_on = frozenset({"name", "path"})
    outputs = frozenset({"arn", "uniqueId"})
    names = aws_names("path", "arn", name="GroupName", uniqueId="GroupId")

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        return properties(api.get_group(GroupName=id)["Group"], self.names)


class AccessKey(_Global):
    """Access key of an IAM user. The secret is not read back: nobody may use one here."""

    token = "aws:iam/accessKey:AccessKey"
    inputs = replace_on = frozenset({"user", "status"})

    def create(self, api: Any, props: Props) -> str:
        made = api.create_access_key(UserName=props["user"])["AccessKey"]["AccessKeyId"]
        if status := props.get("status"):
            api.update_access_key(UserName=props["user"], AccessKeyId=made, Status=status)
        return made

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        keys = api.list_access_keys(UserName=props["user"])["AccessKeyMetadata"]
        found = next((key for key in keys if key["AccessKeyId"] == id), None)
        return found and {"user": found["UserName"], "status": found["Status"]}

    def delete(self, api: Any, id: str, props: Props) -> None:
        api.delete_access_key(UserName=props["user"], AccessKeyId=id)


class UserLoginProfile(_Global):
    """Password of an IAM user. It is made up, and not read back: nobody may sign in with it here."""

    token = "aws:iam/userLoginProfile:UserLoginProfile"
    noun, verb, key = "login_profile", "get", "UserName"
    id_from = "user"
    inputs = replace_on = frozenset({"user", "passwordLength"})
    kept = frozenset({"passwordLength"})
    names = aws_names(user="UserName")

    def create(self, api: Any, props: Props) -> str:
        api.create_login_profile(UserName=props["user"], Password=f"{secrets.token_urlsafe(24)}.aA1")
        return props["user"]

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        return properties(api.get_login_profile(UserName=id)["LoginProfile"], self.names)


class VirtualMfaDevice(_Global):
    """Virtual MFA device, whose seed is not read back."""

    token = "aws:iam/virtualMfaDevice:VirtualMfaDevice"
    inputs = replace_on = frozenset({"virtualMfaDeviceName", "path"})
    outputs = frozenset({"arn"})
    kept = frozenset({"path"})
    names = aws_names("path", virtualMfaDeviceName="VirtualMFADeviceName")

    def create(self, api: Any, props: Props) -> str:
        device = api.create_virtual_mfa_device(**arguments(props, self.names))
        return device["VirtualMFADevice"]["SerialNumber"]

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        devices = api.list_virtual_mfa_devices()["VirtualMFADevices"]
        if id not in {device["SerialNumber"] for device in devices}:
            return None
        return {"arn": id, "virtualMfaDeviceName": id.rpartition("/")[2]}

    def delete(self, api: Any, id: str, props: Props) -> None:
        api.delete_virtual_mfa_device(SerialNumber=id)


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


class GroupPolicyAttachment(_Attachment):
    """Managed policy on an IAM group."""

    token = "aws:iam/groupPolicyAttachment:GroupPolicyAttachment"
    principal = "group"
    inputs = replace_on = frozenset({"group", "policyArn"})


class RolePolicyAttachment(_Attachment):
    """Managed policy on an IAM role."""

    token = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    principal = "role"
    inputs = replace_on = frozenset({"role", "policyArn"})


class _Inline(_Global):
    """Inline policy of a principal. Its id is `principal:name`."""

    principal: ClassVar[str]

    def id_of(self, props: Props) -> str:
        return f"{props[self.principal]}:{props['name']}"

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        live = getattr(api, f"get_{self.noun}")(**self.address(id))
        owner = live[f"{self.principal.title()}Name"]
        return {
            self.principal: owner,
            "name": live["PolicyName"],
            "policy": json.dumps(live["PolicyDocument"]),
        }

    def update(self, api: Any, id: str, props: Props) -> None:
        getattr(api, f"put_{self.noun}")(**self.address(id), PolicyDocument=props["policy"])

    def address(self, id: str) -> dict[str, str]:
        owner, name = id.split(":")
        return {f"{self.principal.title()}Name": owner, "PolicyName": name}


class RolePolicy(_Inline):
    """Inline policy of an IAM role."""

    token = "aws:iam/rolePolicy:RolePolicy"
    noun, principal = "role_policy", "role"
    inputs = frozenset({"role", "name", "policy"})
    replace_on = frozenset({"role", "name"})


class UserPolicy(_Inline):
    """Inline policy of an IAM user."""

    token = "aws:iam/userPolicy:UserPolicy"
    noun, principal = "user_policy", "user"
    inputs = frozenset({"user", "name", "policy"})
    replace_on = frozenset({"user", "name"})


class GroupPolicy(_Inline):
    """Inline policy of an IAM group."""

    token = "aws:iam/groupPolicy:GroupPolicy"
    noun, principal = "group_policy", "group"
    inputs = frozenset({"group", "name", "policy"})
    replace_on = frozenset({"group", "name"})
