"""Login, renewal and revocation of machine tokens as different clients send them."""

import pytest

LOGIN = "/api/v1/auth/universal-auth/login"


@pytest.fixture
def pair(server):
    return {"clientId": server.client_id, "clientSecret": server.client_secret}


def assert_token(answer):
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert isinstance(body["accessToken"], str) and body["accessToken"]
    # Typed clients refuse the whole answer over a number that is a text, or the reverse.
    assert type(body["expiresIn"]) is int and body["expiresIn"] > 30
    assert type(body["accessTokenMaxTTL"]) is int and body["accessTokenMaxTTL"] >= 0
    assert body["tokenType"] == "Bearer"
    return body["accessToken"]


def may_list(api, place, token):
    answer = api(
        "GET", "/api/v3/secrets/raw", params=place, headers={"Authorization": f"Bearer {token}"}
    )
    return answer.status_code


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("form", ["json", "data"], ids=["json", "form"])
def test_a_login_is_json_or_a_form(api, pair, place, form, slash):
    token = assert_token(api("POST", LOGIN + slash, token=False, **{form: pair}))
    assert may_list(api, place, token) == 200


@pytest.mark.parametrize("form", ["json", "data"], ids=["json", "form"])
def test_a_wrong_secret_is_401_in_either_form(api, pair, form):
    answer = api("POST", LOGIN, token=False, **{form: {**pair, "clientSecret": "f" * 64}})
    assert answer.status_code == 401
    assert "accessToken" not in answer.json()


@pytest.mark.parametrize("missing", ["clientId", "clientSecret"])
def test_an_incomplete_login_is_a_validation_error(api, pair, missing):
    body = {key: value for key, value in pair.items() if key != missing}
    answer = api("POST", LOGIN, token=False, json=body)
    assert answer.status_code == 422
    assert [issue["path"] for issue in answer.json()["message"]] == [[missing]]


def test_an_organization_may_be_named(api, server, pair):
    own = api("POST", LOGIN, token=False, json={**pair, "organizationSlug": server.organization_slug})
    assert_token(own)


def test_an_organization_out_of_reach_is_not_ignored(api, pair, unique):
    answer = api("POST", LOGIN, token=False, json={**pair, "organizationSlug": unique})
    assert 400 <= answer.status_code < 500
    assert "accessToken" not in answer.json()


def test_a_stale_token_does_not_stand_in_the_way_of_a_login(api, pair):
    headers = {"Authorization": "Bearer something-old"}
    assert_token(api("POST", LOGIN, json=pair, headers=headers))


@pytest.mark.parametrize("bearer", [False, True], ids=["alone", "with-bearer"])
def test_a_token_is_renewed(api, pair, place, bearer):
    token = assert_token(api("POST", LOGIN, token=False, json=pair))
    headers = {"Authorization": f"Bearer {token}"} if bearer else {}
    renewed = api(
        "POST",
        "/api/v1/auth/token/renew",
        token=False,
        json={"accessToken": token},
        headers=headers,
    )
    assert may_list(api, place, assert_token(renewed)) == 200


def test_a_revoked_token_is_dead_at_once(api, pair, place):
    token = assert_token(api("POST", LOGIN, token=False, json=pair))
    assert may_list(api, place, token) == 200
    revoked = api(
        "POST",
        "/api/v1/auth/token/revoke",
        json={"accessToken": token},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert revoked.status_code == 200
    assert isinstance(revoked.json()["message"], str)
    assert may_list(api, place, token) == 401
    again = api("POST", "/api/v1/auth/token/renew", token=False, json={"accessToken": token})
    assert again.status_code == 401
    # Another token of the same identity lives on.
    assert may_list(api, place, api.token) == 200


def test_an_identity_can_read_who_it_is(api, server):
    answer = api("GET", "/api/v1/identities/details")
    assert answer.status_code == 200
    organization = answer.json()["identityDetails"]["organization"]
    assert organization["id"] == server.organization_id
    assert organization["slug"] == server.organization_slug
    assert isinstance(organization["name"], str) and organization["name"]
