"""Tags as the command line and the Terraform provider call for them; versions, moves, batches."""

import pytest


@pytest.fixture
def tag(api, server, unique):
    """A tag of the test's own."""
    path = f"/api/v1/projects/{server.project_id}/tags"
    made = api("POST", path, json={"slug": unique, "color": ""})
    assert made.status_code == 200, made.text
    tag = made.json()["tag"]
    yield tag
    api("DELETE", f"{path}/{tag['id']}")


def test_a_tag_that_is_not_there_is_a_404(api, server, unique):
    path = f"/api/v1/projects/{server.project_id}/tags/slug/{unique}"
    assert api("GET", path).status_code == 404


def test_the_command_line_finds_a_tag_by_its_slug(api, server, tag):
    found = api("GET", f"/api/v1/projects/{server.project_id}/tags/slug/{tag['slug']}")
    assert found.json()["tag"]["id"] == tag["id"]
    assert found.json()["tag"]["name"] == tag["slug"]


def test_terraform_s_tag_lives_and_ends(api, server, unique):
    tags = f"/api/v1/workspace/{server.project_id}/tags"
    body = {"name": "A name", "color": "#aabbcc", "slug": unique, "projectId": server.project_id}
    made = api("POST", tags, json=body).json()["workspaceTag"]
    assert {made[key] for key in ("name", "color", "slug")} == {"A name", "#aabbcc", unique}
    one = f"{tags}/{made['id']}"
    assert api("GET", one).json()["workspaceTag"] == made
    body = {"color": "#000000", "projectId": server.project_id, "tagId": made["id"]}
    assert api("PATCH", one, json=body).json()["workspaceTag"]["color"] == "#000000"
    assert made["id"] in {tag["id"] for tag in api("GET", tags).json()["workspaceTags"]}
    gone = api("DELETE", one, json={"projectId": server.project_id, "tagId": made["id"]})
    assert gone.json()["workspaceTag"]["id"] == made["id"]
    assert api("GET", one).status_code == 404


def test_a_tagged_secret_is_listed_by_its_tag(api, secret, tag):
    path = "/api/v3/secrets/raw/KEY"
    changed = api("PATCH", path, json={**secret, "tagIds": [tag["id"]]})
    assert changed.json()["secret"]["tags"] == [
        {"id": tag["id"], "slug": tag["slug"], "color": "", "name": tag["slug"]}
    ]
    api("POST", "/api/v3/secrets/raw/OTHER", json={**secret, "secretValue": "two"})
    listed = api("GET", "/api/v3/secrets/raw", params={**secret, "tagSlugs": tag["slug"]})
    assert [each["secretKey"] for each in listed.json()["secrets"]] == ["KEY"]


def test_the_history_comes_newest_first_and_by_pages(api, secret):
    path = "/api/v3/secrets/raw/KEY"
    for value in ("two", "three"):
        made = api("PATCH", path, json={**secret, "secretValue": value}).json()["secret"]
    history = f"/api/v1/secret/{made['id']}/secret-versions"
    page = api("GET", history, params={"offset": 1, "limit": 20}).json()["secretVersions"]
    assert [(each["version"], each["secretValue"]) for each in page] == [(2, "two"), (1, "one")]
    old = api("GET", path, params={**secret, "version": 1}).json()["secret"]
    assert (old["version"], old["secretValue"]) == (1, "one")


def test_a_secret_moves_with_its_id(api, secret, place):
    made = api("GET", "/api/v3/secrets/raw/KEY", params=secret).json()["secret"]
    folder = {"workspaceId": place["workspaceId"], "environment": "dev"}
    api("POST", "/api/v1/folders", json={**folder, "name": "goal", "path": place["secretPath"]})
    goal = f"{place['secretPath']}/goal"
    moved = api(
        "POST",
        "/api/v4/secrets/move",
        json={
            "projectId": place["workspaceId"],
            "sourceEnvironment": "dev",
            "sourceSecretPath": place["secretPath"],
            "destinationEnvironment": "dev",
            "destinationSecretPath": goal,
            "secretIds": [made["id"]],
        },
    )
    assert moved.json() == {"isSourceUpdated": True, "isDestinationUpdated": True}
    assert api("GET", "/api/v3/secrets/raw/KEY", params=secret).status_code == 404
    there = api("GET", f"/api/v3/secrets/raw/id/{made['id']}").json()["secret"]
    assert (there["secretPath"], there["secretValue"]) == (goal, "one")


@pytest.mark.parametrize(
    ("mode", "status", "names"),
    [
        (None, 404, ["KEY"]),
        ("failOnNotFound", 404, ["KEY"]),
        ("upsert", 200, ["KEY", "NEW"]),
        ("ignore", 200, ["KEY"]),
    ],
)
def test_a_batch_does_what_its_mode_says(api, secret, mode, status, names):
    body = {
        **secret,
        "secrets": [
            {"secretKey": "KEY", "secretValue": "2"},
            {"secretKey": "NEW", "secretValue": "2"},
        ],
    }
    if mode:
        body["mode"] = mode
    answer = api("PATCH", "/api/v3/secrets/batch/raw", json=body)
    assert answer.status_code == status, answer.text
    listed = api("GET", "/api/v3/secrets/raw", params=secret).json()["secrets"]
    assert [each["secretKey"] for each in listed] == names
    expected = "2" if status == 200 else "one"
    assert listed[0]["secretValue"] == expected
