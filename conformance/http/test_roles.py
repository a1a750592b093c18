"""Roles of projects, in the calls of the Terraform provider."""

import pytest

RULES = [
    {"subject": "secrets", "action": "read", "conditions": {"environment": "dev"}},
    {
        "subject": "secrets",
        "action": ["readValue"],
        "inverted": True,
        "conditions": {"secretPath": {"$glob": "/vault/**"}},
    },
]


@pytest.fixture(params=["v1", "v2"])
def roles(request, server):
    """The path of a project's roles: the older one names it by its slug."""
    named = server.project_slug if request.param == "v1" else server.project_id
    return f"/api/{request.param}/workspace/{named}/roles"


def test_a_role_lives_as_a_resource_does(api, server, roles, unique):
    body = {"projectSlug": server.project_slug, "slug": unique, "name": "N", "permissions": RULES}
    made = api("POST", roles, json={**body, "description": "d"}).json()["role"]
    assert (made["slug"], made["permissions"]) == (unique, RULES)
    read = api("GET", f"{roles}/slug/{unique}").json()["role"]
    assert read == made
    by_id = api("GET", f"/api/v1/projects/roles/{made['id']}").json()["role"]
    assert by_id["slug"] == unique
    changed = api(
        "PATCH", f"{roles}/{made['id']}", json={**body, "name": "M", "permissions": RULES[:1]}
    ).json()["role"]
    assert (changed["name"], changed["permissions"]) == ("M", RULES[:1])
    gone = api("DELETE", f"{roles}/{made['id']}", json={"roleId": made["id"]})
    assert gone.json()["role"]["id"] == made["id"]
    assert api("GET", f"{roles}/slug/{unique}").status_code == 404


def test_a_role_decides_what_its_holder_reads(api, server, secret, unique):
    made = api(
        "POST",
        f"/api/v2/workspace/{server.project_id}/roles",
        json={
            "slug": unique,
            "name": unique,
            "permissions": [
                {"subject": "secrets", "action": "describeSecret"},
                {
                    "subject": "secrets",
                    "action": "readValue",
                    "conditions": {"secretPath": {"$glob": secret["secretPath"] + "/**"}},
                },
            ],
        },
    )
    assert made.status_code == 200, made.text
    identity = api(
        "POST",
        "/api/v1/identities",
        json={"name": unique, "organizationId": server.organization_id},
    ).json()["identity"]["id"]
    joined = api(
        "POST",
        f"/api/v2/workspace/{server.project_id}/identity-memberships/{identity}",
        json={"roles": [{"role": unique}]},
    )
    assert joined.status_code == 200, joined.text
    api("POST", f"/api/v1/auth/universal-auth/identities/{identity}", json={})
    client = api("GET", f"/api/v1/auth/universal-auth/identities/{identity}").json()
    client_id = client["identityUniversalAuth"]["clientId"]
    path = f"/api/v1/auth/universal-auth/identities/{identity}/client-secrets"
    client_secret = api("POST", path, json={}).json()["clientSecret"]
    login = {"clientId": client_id, "clientSecret": client_secret}
    token = api("POST", "/api/v1/auth/universal-auth/login", token=False, json=login).json()
    held = {"Authorization": f"Bearer {token['accessToken']}"}
    read = api("GET", "/api/v3/secrets/raw/KEY", params=secret, headers=held)
    assert read.json()["secret"]["secretValue"] == "one"
    elsewhere = {**secret, "secretPath": "/"}
    api("POST", f"/api/v3/secrets/raw/{unique}", json={**elsewhere, "secretValue": "x"})
    refused = api("GET", f"/api/v3/secrets/raw/{unique}", params=elsewhere, headers=held)
    assert refused.status_code == 403
    masked = api(
        "GET",
        f"/api/v3/secrets/raw/{unique}",
        params={**elsewhere, "viewSecretValue": "false"},
        headers=held,
    )
    assert masked.json()["secret"]["secretValueHidden"] is True
    api("DELETE", f"/api/v3/secrets/raw/{unique}", json=elsewhere)


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ({"subject": "planets", "action": "read"}, ["permissions", 0, "subject"]),
        ({"subject": "tags", "action": ["fly"]}, ["permissions", 0, "action", 0]),
    ],
)
def test_a_rule_that_is_none_is_named(api, server, unique, rule, path):
    answer = api(
        "POST",
        f"/api/v1/projects/{server.project_id}/roles",
        json={"slug": unique, "name": unique, "permissions": [rule]},
    )
    assert answer.status_code == 422
    assert answer.json()["message"][0]["path"] == path
