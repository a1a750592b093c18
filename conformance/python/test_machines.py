"""Logins of machines that somebody else vouches for, by the helpers of the client."""

import pytest
from infisical_sdk import InfisicalSDKClient
from infisical_sdk.infisical_requests import APIError

DENIED = "AWS principal ARN not allowed"


@pytest.fixture
def machine(server):
    with InfisicalSDKClient(host=server.url, cache_ttl=None) as machine:
        yield machine


def reads(machine, place):
    return machine.secrets.list_secrets(**place).secrets == []


@pytest.fixture
def aws(monkeypatch, vendor):
    """The environment of a machine with a key of AWS."""
    aws = vendor("KMS_CONFORMANCE_AWS")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", aws["accessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", aws["secretAccessKey"])
    return monkeypatch


def test_a_user_of_aws_logs_in(machine, machine_with, place, aws):
    arn = "arn:aws:iam::123456789012:user/deploy"
    identity = machine_with("aws-auth", {"allowedPrincipalArns": arn})
    said = machine.auth.aws_auth.login(identity)
    assert said.tokenType == "Bearer"
    assert said.expiresIn == 2_592_000
    assert reads(machine, place)


def test_another_user_of_aws_does_not(machine, machine_with, aws):
    arn = "arn:aws:iam::123456789012:user/other"
    identity = machine_with("aws-auth", {"allowedPrincipalArns": arn})
    with pytest.raises(APIError, match=DENIED) as answer:
        machine.auth.aws_auth.login(identity)
    assert answer.value.status_code == 401


def test_a_wrong_key_of_aws_does_not(machine, machine_with, aws):
    identity = machine_with("aws-auth", {"allowedAccountIds": "123456789012"})
    aws.setenv("AWS_SECRET_ACCESS_KEY", "x" * 40)
    with pytest.raises(APIError, match="Invalid credentials") as answer:
        machine.auth.aws_auth.login(identity)
    assert answer.value.status_code == 401


@pytest.fixture
def provider(vendor):
    return vendor("KMS_CONFORMANCE_PROVIDER")


def oidc(provider, **changes):
    settings = {
        "oidcDiscoveryUrl": provider["issuer"],
        "boundIssuer": provider["issuer"],
        "boundAudiences": "urn:kms:*",
        "boundSubject": "machine",
        "boundClaims": {"scope": "deploy"},
    }
    return settings | changes


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA", "PS256"])
def test_a_token_of_a_provider_logs_in(machine, machine_with, place, provider, algorithm):
    identity = machine_with("oidc-auth", oidc(provider))
    assert machine.auth.oidc_auth.login(identity, provider["tokens"][algorithm]).accessToken
    assert reads(machine, place)


def test_a_token_for_somebody_else_does_not(machine, machine_with, provider):
    identity = machine_with("oidc-auth", oidc(provider, boundAudiences="urn:other:*"))
    with pytest.raises(APIError, match="OIDC audience not allowed"):
        machine.auth.oidc_auth.login(identity, provider["tokens"]["RS256"])
