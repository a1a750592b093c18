"""Overrides, metadata, imports and references as both versions answer them, and pages of lists."""

import pytest


@pytest.fixture
def person(api, server):
    """The access token of the person, in the organization."""
    login = {"email": server.email, "password": server.password}
    first = api("POST", "/api/v3/auth/login", token=False, json=login).json()["accessToken"]
    chosen = api(
        "POST",
        "/api/v3/auth/select-organization",
        headers={"Authorization": f"Bearer {first}"},
        json={"organizationId": server.organization_id},
    )
    return {"Authorization": f"Bearer {chosen.json()['token']}"}


def v4(place):
    return {("projectId" if key == "workspaceId" else key): value for key, value in place.items()}


def rows(answer):
    assert answer.status_code == 200, answer.text
    found = [(one["secretKey"], one["type"], one["secretValue"]) for one in answer.json()["secrets"]]
    return sorted(found)


def test_an_override_is_its_owner_s_and_replaces_in_version_4(api, person, secret):
    four = v4(secret)
    api("POST", "/api/v4/secrets/URL", json={**four, "secretValue": "<${KEY}>"})
    mine = {**secret, "secretValue": "mine", "type": "personal"}
    made = api("POST", "/api/v3/secrets/raw/KEY", json=mine, headers=person)
    assert made.json()["secret"]["type"] == "personal"
    shared, own = ("KEY", "shared", "one"), ("KEY", "personal", "mine")

    listed = api("GET", "/api/v3/secrets/raw", params=secret, headers=person)
    assert rows(listed) == [own, shared, ("URL", "shared", "<${KEY}>")]
    # Version 4 shows overrides when asked to, and counts them in references then, too.
    query = {**four, "includePersonalOverrides": "true"}
    listed = api("GET", "/api/v4/secrets", params=query, headers=person)
    assert rows(listed) == [own, ("URL", "shared", "<mine>")]
    listed = api("GET", "/api/v4/secrets", params=four, headers=person)
    assert rows(listed) == [shared, ("URL", "shared", "<one>")]
    for answer in (
        api("GET", "/api/v4/secrets", params=query),
        api("GET", "/api/v4/secrets", params=four),
    ):
        assert rows(answer) == [shared, ("URL", "shared", "<one>")]
    personal = {**four, "type": "personal"}
    read = api("GET", "/api/v4/secrets/KEY", params=personal, headers=person)
    assert read.json()["secret"]["secretValue"] == "mine"
    assert api("GET", "/api/v4/secrets/KEY", params=personal).status_code == 404
    gone = api("DELETE", "/api/v4/secrets/KEY", json=personal, headers=person)
    assert gone.json()["secret"]["secretValue"] == "mine"
    assert rows(api("GET", "/api/v4/secrets", params=query, headers=person))[0] == shared


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        ("key=team,value=a", ["BOTH", "TEAM"]),
        ("key=team,value=b", []),
        ("key=tier,value=1", ["BOTH", "TIER"]),
        ("key=team,value=a|key=tier,value=1", ["BOTH"]),
    ],
)
def test_a_list_is_narrowed_by_metadata(api, place, filter, found):
    team, tier = {"key": "team", "value": "a"}, {"key": "tier", "value": "1"}
    for name, metadata in (("TEAM", [team]), ("TIER", [tier]), ("BOTH", [team, tier]), ("NO", [])):
        body = {**place, "secretValue": "v", "secretMetadata": metadata}
        made = api("POST", f"/api/v3/secrets/raw/{name}", json=body)
        assert made.status_code == 200, made.text
    for path, query in (("/api/v3/secrets/raw", place), ("/api/v4/secrets", v4(place))):
        listed = api("GET", path, params={**query, "metadataFilter": filter})
        assert [name for name, *_ in rows(listed)] == found, path


def test_each_version_has_its_own_defaults(api, secret):
    where = {"workspaceId": secret["workspaceId"], "environment": "dev"}
    api("POST", "/api/v1/folders", json={**where, "name": "in", "path": secret["secretPath"]})
    source = f"{secret['secretPath']}/in"
    inside = {**secret, "secretPath": source}
    api("POST", "/api/v3/secrets/raw/FROM", json={**inside, "secretValue": "brought"})
    api("POST", "/api/v3/secrets/raw/URL", json={**secret, "secretValue": "<${KEY}>"})
    body = {**where, "path": secret["secretPath"], "import": {"environment": "dev", "path": source}}
    assert api("POST", "/api/v2/secret-imports", json={**body, "projectId": where["workspaceId"]}).ok

    old = api("GET", "/api/v3/secrets/raw", params=secret)
    new = api("GET", "/api/v4/secrets", params=v4(secret))
    assert rows(old)[1][2] == "<${KEY}>" and old.json()["imports"] == []
    assert rows(new)[1][2] == "<one>"
    for more in ({"include_imports": "true"}, {"includeImports": "true"}):
        (brought,) = api("GET", "/api/v3/secrets/raw", params={**secret, **more}).json()["imports"]
        assert (brought["secretPath"], brought["environment"]) == (source, "dev")
        assert brought["folderId"]
        assert [each["secretValue"] for each in brought["secrets"]] == ["brought"]
    assert new.json()["imports"][0]["secrets"][0]["secretKey"] == "FROM"
    none = api("GET", "/api/v4/secrets", params={**v4(secret), "includeImports": "false"})
    assert none.json()["imports"] == []
    assert api("GET", "/api/v3/secrets/raw/FROM", params=secret).status_code == 404
    read = api("GET", "/api/v3/secrets/raw/FROM", params={**secret, "include_imports": "true"})
    assert read.json()["secret"]["secretPath"] == source
    read = api("GET", "/api/v4/secrets/FROM", params=v4(secret))
    assert read.json()["secret"]["secretValue"] == "brought"
    # What an import brings in, by itself.
    for path in ("/api/v1/secret-imports/secrets", "/api/v1/secret-imports/secrets/raw"):
        (brought,) = api("GET", path, params={**where, "path": secret["secretPath"]}).json()["secrets"]
        assert [each["secretValue"] for each in brought["secrets"]] == ["brought"]


def test_pages_of_the_history_do_not_overlap(api, secret):
    path = "/api/v3/secrets/raw/KEY"
    for number in range(2, 8):
        made = api("PATCH", path, json={**secret, "secretValue": str(number)}).json()["secret"]
    history = f"/api/v1/secret/{made['id']}/secret-versions"
    seen = []
    for offset in range(0, 9, 3):
        page = api("GET", history, params={"offset": offset, "limit": 3}).json()["secretVersions"]
        seen += [(each["version"], each["secretValue"]) for each in page]
    assert seen == [(number, str(number) if number > 1 else "one") for number in range(7, 0, -1)]


def test_pages_of_identities_do_not_overlap(api, server, unique):
    made = set()
    for number in range(5):
        body = {"name": f"{unique}-{number}", "organizationId": server.organization_id}
        made.add(api("POST", "/api/v1/identities", json=body).json()["identity"]["id"])
    path = f"/api/v2/organizations/{server.organization_id}/identity-memberships"
    seen = []
    for offset in range(0, 6, 2):
        query = {"offset": offset, "limit": 2, "search": unique}
        page = api("GET", path, params=query).json()
        assert page["totalCount"] == 5
        seen += [each["identity"]["id"] for each in page["identityMemberships"]]
    assert len(seen) == 5 and set(seen) == made
    for one in made:
        assert api("DELETE", f"/api/v1/identities/{one}").status_code == 200
