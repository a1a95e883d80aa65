from breakglass_policies.reading import Arn, is_account_id, parse_arn


def test_arns():
    arn = parse_arn("arn:aws-cn:events:*:111111111111:rule/a:b")
    assert arn == Arn(service="events", region="*", account="111111111111", resource="rule/a:b")
    for odd in ("arn:aws:sns:us-east-1:111111111111", "x:aws:sns:r:a:t", "", None, 7, ["arn"]):
        assert parse_arn(odd) == Arn()
    assert is_account_id("111111111111")
    for odd in ("11111111111", "*", "", "\uff11" * 12):
        assert not is_account_id(odd)
