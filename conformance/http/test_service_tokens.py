"""Service tokens, as the compatible command line makes them and existing CI jobs use them."""

import pytest


@pytest.fixture(scope="module")
def person(api, server):
    """The access token of the person, in the organization."""
    login = {"email": server.email, "password": server.password}
    first = api("POST", "/api/v3/auth/login", token=False, json=login).json()["accessToken"]
    chosen = api(
        "POST",
        "/api/v3/auth/select-organization",
        token=False,
        headers={"Authorization": f"Bearer {first}"},
        json={"organizationId": server.organization_id, "userAgent": "cli"},
    )
    return {"Authorization": f"Bearer {chosen.json()['token']}"}


@pytest.fixture
def make(api, server, person):
    def make(scopes, permissions, **more):
        body = {
            "name": "ci",
            "workspaceId": server.project_id,
            "scopes": [{"environment": env, "secretPath": path} for env, path in scopes],
            "expiresIn": 60,
            "encryptedKey": "",
            "iv": "",
            "tag": "",
            "randomBytes": "00" * 16,
            "permissions": permissions,
            **more,
        }
        made = api("POST", "/api/v2/service-token/", json=body, headers=person)
        assert made.status_code == 200, made.text
        return made.json()

    return make


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("own_part", ["", "." + "00" * 16])
def test_a_token_of_three_or_four_parts_reads_its_folder(api, server, secret, make, own_part):
    token = make([("dev", secret["secretPath"])], ["read"])["serviceToken"] + own_part
    own = api("GET", "/api/v2/service-token", headers=bearer(token)).json()
    assert own["workspace"] == server.project_id
    assert own["scopes"] == [{"environment": "dev", "secretPath": secret["secretPath"]}]
    assert (own["_id"], own["__v"]) == (own["id"], 0)
    for path, given in (
        ("/api/v3/secrets/raw", secret),
        ("/api/v3/secrets/raw", {}),
        ("/api/v4/secrets", {}),
    ):
        listed = api("GET", path, params=given, headers=bearer(token)).json()
        assert [one["secretValue"] for one in listed["secrets"]] == ["one"]
    write = api("PATCH", "/api/v3/secrets/raw/KEY", json=secret, headers=bearer(token))
    assert write.status_code == 403
    root = api("GET", "/api/v1/folders", params={**secret, "path": "/"}, headers=bearer(token))
    assert root.status_code == 403


def test_a_token_writes_where_its_pattern_matches(api, secret, make):
    token = make([("dev", secret["secretPath"] + "/**")], ["read", "write"])["serviceToken"]
    body = {**secret, "secretValue": "two"}
    changed = api("PATCH", "/api/v3/secrets/raw/KEY", json=body, headers=bearer(token)).json()
    assert changed["secret"]["version"] == 2
    elsewhere = {**body, "secretPath": "/"}
    refused = api("POST", "/api/v3/secrets/raw/NEW", json=elsewhere, headers=bearer(token))
    assert refused.status_code == 403


def test_a_token_ends_when_it_is_deleted(api, person, secret, make):
    made = make([("dev", secret["secretPath"])], ["read"])
    token, data = made["serviceToken"], made["serviceTokenData"]
    assert data["lastUsed"] is None
    read = lambda: api("GET", "/api/v3/secrets/raw", headers=bearer(token))  # noqa: E731
    assert read().status_code == 200
    listed = api(
        "GET", f"/api/v1/workspace/{data['workspace']}/service-token-data", headers=person
    ).json()["serviceTokenData"]
    assert data["id"] in [one["id"] for one in listed]
    gone = api("DELETE", f"/api/v2/service-token/{data['id']}", headers=person)
    assert gone.json()["serviceTokenData"]["id"] == data["id"]
    assert read().status_code == 401


def test_a_token_opens_nothing_else(api, server, make):
    token = make([("dev", "/**")], ["read", "write"])["serviceToken"]
    for path in (
        "/api/v1/workspace",
        f"/api/v1/projects/{server.project_id}/roles",
        f"/api/v1/projects/{server.project_id}/memberships",
        "/api/v1/organization",
    ):
        assert api("GET", path, headers=bearer(token)).status_code == 403, path
