"""KMS: keys and their aliases."""

from typing import Any

from sandbox.provider.resources.base import Named, Props, Resource, aws_names


class Key(Resource):
    """KMS key."""

    token = "aws:kms/key:Key"
    service = "kms"
    inputs = frozenset({"description", "policy", "enableKeyRotation", "deletionWindowInDays", "isEnabled"})
    outputs = frozenset({"arn", "keyId"})
    kept = frozenset({"deletionWindowInDays"})

    def create(self, api: Any, props: Props) -> str:
        id = api.create_key()["KeyMetadata"]["KeyId"]
        self.update(api, id, props)
        return id

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        key = api.describe_key(KeyId=id)["KeyMetadata"]
        if key["KeyState"] == "PendingDeletion":
            return None
        return {
            "description": key["Description"] or None,
            "policy": api.get_key_policy(KeyId=id, PolicyName="default")["Policy"],
            "enableKeyRotation": api.get_key_rotation_status(KeyId=id)["KeyRotationEnabled"],
            "isEnabled": key["Enabled"],
            "arn": key["Arn"],
            "keyId": id,
        }

    def update(self, api: Any, id: str, props: Props) -> None:
        api.update_key_description(KeyId=id, Description=props.get("description", ""))
        if policy := props.get("policy"):
            api.put_key_policy(KeyId=id, PolicyName="default", Policy=policy)
        rotate = api.enable_key_rotation if props.get("enableKeyRotation") else api.disable_key_rotation
        rotate(KeyId=id)
        enable = api.enable_key if props.get("isEnabled", True) else api.disable_key
        enable(KeyId=id)

    def delete(self, api: Any, id: str, props: Props) -> None:
        api.schedule_key_deletion(KeyId=id, PendingWindowInDays=props.get("deletionWindowInDays", 30))


class Alias(Named):
    """KMS alias."""

    token = "aws:kms/alias:Alias"
    service = "kms"
    noun, key = "alias", "AliasName"
    names = aws_names("targetKeyId", name="AliasName")
    inputs = frozenset(names)
    outputs = frozenset({"arn", "targetKeyArn"})
    replace_on = frozenset({"name"})

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        for alias in api.get_paginator("list_aliases").paginate().search("Aliases[]"):
            if alias["AliasName"] == id:
                key = api.describe_key(KeyId=alias["TargetKeyId"])["KeyMetadata"]
                live = {"name": id, "targetKeyId": key["KeyId"]}
                return live | {"arn": alias["AliasArn"], "targetKeyArn": key["Arn"]}
        return None
