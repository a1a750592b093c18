import uuid

import pytest
from infisical_sdk import InfisicalSDKClient
from infisical_sdk.infisical_requests import APIError


@pytest.fixture
def stranger(server):
    with InfisicalSDKClient(host=server.url, cache_ttl=None) as client:
        yield client


def list_root(client, server):
    return client.secrets.list_secrets(
        project_id=server.project_id, environment_slug="dev", secret_path="/"
    )


def test_universal_auth_answers_with_all_four_fields(stranger, server):
    answer = stranger.auth.universal_auth.login(server.client_id, server.client_secret)
    assert answer.tokenType == "Bearer"
    assert answer.accessToken == stranger.get_token()
    assert isinstance(answer.expiresIn, int) and answer.expiresIn > 0
    assert isinstance(answer.accessTokenMaxTTL, int)
    assert answer.accessTokenMaxTTL == 0 or answer.accessTokenMaxTTL >= answer.expiresIn


def test_a_ready_token_is_enough(stranger, client, server):
    stranger.auth.token_auth.login(client.get_token())
    assert isinstance(list_root(stranger, server).secrets, list)


def test_unknown_client_and_wrong_secret_are_told_the_same(stranger, server):
    with pytest.raises(APIError) as wrong_secret:
        stranger.auth.universal_auth.login(server.client_id, "0" * 64)
    with pytest.raises(APIError) as unknown_client:
        # Another one each time: even an id that nobody has is locked out in the end.
        stranger.auth.universal_auth.login(str(uuid.uuid4()), server.client_secret)
    assert wrong_secret.value.status_code == 401
    assert unknown_client.value.status_code == 401
    said = wrong_secret.value.response["message"]
    assert said and said == unknown_client.value.response["message"]


def test_nothing_is_shown_without_a_token(stranger, server):
    with pytest.raises(APIError) as refused:
        list_root(stranger, server)
    assert refused.value.status_code == 401


def test_a_token_that_is_none_is_refused(stranger, server):
    stranger.auth.token_auth.login("not.a.token")
    with pytest.raises(APIError) as refused:
        list_root(stranger, server)
    assert refused.value.status_code == 403


def test_a_token_with_another_signature_is_refused(stranger, client, server):
    head, claims, signature = client.get_token().split(".")
    turned = signature[::-1]
    assert turned != signature
    stranger.auth.token_auth.login(f"{head}.{claims}.{turned}")
    with pytest.raises(APIError) as refused:
        list_root(stranger, server)
    assert refused.value.status_code == 403
