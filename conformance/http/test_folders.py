"""Folders as the clients of both versions spell them, and projects as the command line reads them."""

import pytest


@pytest.fixture
def parent(place):
    """The test's folder as a parent."""
    return {
        "workspaceId": place["workspaceId"],
        "environment": place["environment"],
        "path": place["secretPath"],
    }


def v2(parent, **more):
    return {
        "projectId": parent["workspaceId"],
        "environment": parent["environment"],
        "path": parent["path"],
        **more,
    }


def names(answer):
    assert answer.status_code == 200, answer.text
    return sorted(folder["name"] for folder in answer.json()["folders"])


@pytest.mark.parametrize(
    ("recursive", "found"),
    [
        ("True", ["a", "b"]),
        ("False", ["a"]),
        ("true", ["a", "b"]),
        ("false", ["a"]),
    ],
)
def test_booleans_may_be_spelled_as_in_python(api, parent, recursive, found):
    api("POST", "/api/v2/folders", json=v2(parent, name="a"))
    api("POST", "/api/v2/folders", json=v2(parent, name="b", path=f"{parent['path']}/a"))
    assert names(api("GET", "/api/v2/folders", params=v2(parent, recursive=recursive))) == found


def test_the_command_line_s_name_for_a_path_is_read(api, parent):
    api("POST", "/api/v1/folders", json={**parent, "name": "a"})
    query = {"workspaceId": parent["workspaceId"], "environment": "dev"}
    listed = api("GET", "/api/v1/folders", params={**query, "directory": parent["path"]})
    assert names(listed) == ["a"]
    body = {**query, "folderName": "a", "directory": parent["path"]}
    gone = api("DELETE", "/api/v1/folders/a", json=body)
    assert gone.json()["folder"]["name"] == "a"
    assert names(api("GET", "/api/v1/folders", params=parent)) == []


def test_times_and_flags_have_the_types_that_typed_clients_parse(api, parent):
    folder = api("POST", "/api/v1/folders", json={**parent, "name": "a"}).json()["folder"]
    for time in ("createdAt", "updatedAt"):
        day, clock = folder[time].split("T")
        assert len(day) == 10 and clock.endswith("Z")
    assert type(folder["version"]) is int
    assert folder["isReserved"] is False
    assert folder["parentId"]


def test_a_path_that_does_not_exist_lists_nothing(api, parent):
    nowhere = {**parent, "path": f"{parent['path']}/nowhere"}
    assert names(api("GET", "/api/v1/folders", params=nowhere)) == []


def test_projects_carry_the_ids_that_the_command_line_stores(api, server):
    listed = api("GET", "/api/v1/workspace").json()["workspaces"]
    (own,) = [project for project in listed if project["_id"] == server.project_id]
    assert own["id"] == server.project_id
    assert own["orgId"] == server.organization_id
    assert isinstance(own["name"], str) and own["name"]


def test_a_project_by_slug_stands_at_the_top_level(api, server):
    for path in ("/api/v1/projects/slug/", "/api/v2/workspace/"):
        answer = api("GET", path + server.project_slug)
        assert answer.status_code == 200, answer.text
        assert answer.json()["id"] == server.project_id
    wrapped = api("GET", f"/api/v1/workspace/{server.project_id}").json()["workspace"]
    assert (wrapped["id"], wrapped["slug"]) == (server.project_id, server.project_slug)
    assert [e["slug"] for e in wrapped["environments"]] == ["dev", "staging", "prod"]
