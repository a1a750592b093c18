"""What the Terraform provider sends, in its order: apply, read, plan, change, destroy.

The provider compares what it wrote with what it reads: whatever differs is a plan that is never
empty. A read that is answered with 404 makes it forget the resource and make it anew.
"""

import concurrent.futures
import urllib.parse

import pytest


@pytest.fixture
def tf(api):
    """A call as the provider makes it after its login; JSON of the answer, which must be 200."""

    def call(method, path, body=None, params=None, status=200):
        headers = {"User-Agent": "terraform", "Accept": "application/json"}
        # A body on a GET is never sent.
        sent = {} if method == "GET" else {"json": body}
        answer = api(method, path, headers=headers, params=params, **sent)
        assert answer.status_code == status, answer.text
        return answer.json()

    return call


def picked(found, *names):
    return {name: found.get(name) for name in names}


def test_the_login_and_who_it_is(api, server):
    login = {"clientId": server.client_id, "clientSecret": server.client_secret}
    path = "/api/v1/auth/universal-auth/login"
    answer = api("POST", path, token=False, json=login, headers={"User-Agent": "terraform"})
    token = answer.json()["accessToken"]
    headers = {"Authorization": f"Bearer {token}", "User-Agent": "terraform"}
    who = api("GET", "/api/v1/identities/details", headers=headers).json()["identityDetails"]
    assert who["organization"]["id"] == server.organization_id
    assert who["organization"]["slug"] == server.organization_slug
    login["organizationSlug"] = "no-such-organization"
    assert 400 <= api("POST", path, token=False, json=login).status_code < 500


PROJECT = (
    "id name description slug type autoCapitalization orgId createdAt updatedAt "
    "hasDeleteProtection version environments"
).split()


def test_a_project_and_its_environments(tf, server, unique):
    made = tf(
        "POST",
        "/api/v2/workspace",
        {
            "projectName": unique,
            "projectDescription": "by terraform",
            "slug": unique,
            "organizationSlug": server.organization_slug,
            "template": "default",
            "type": "secret-manager",
            "shouldCreateDefaultEnvs": False,
            "hasDeleteProtection": True,
        },
    )["project"]
    by_id = f"/api/v1/workspace/{made['id']}"
    read = tf("GET", by_id)["workspace"]
    assert set(PROJECT) <= set(read)
    assert picked(read, "name", "description", "slug", "environments") == {
        "name": unique,
        "description": "by terraform",
        "slug": unique,
        "environments": [],
    }
    assert (read["orgId"], read["hasDeleteProtection"]) == (server.organization_id, True)
    assert tf("GET", f"/api/v2/workspace/{unique}") == read
    assert made["id"] in {each["id"] for each in tf("GET", "/api/v1/projects")["projects"]}

    change = {
        "projectId": made["id"],
        "slug": f"{unique}-2",
        "name": "changed",
        "description": "",
        "hasDeleteProtection": False,
    }
    # Read at the top level.
    changed = tf("PATCH", f"/api/v1/projects/{made['id']}", change)
    wanted = picked(change, "slug", "name", "hasDeleteProtection")
    assert picked(changed, *wanted) == wanted
    read = tf("GET", by_id)["workspace"]
    assert picked(read, *wanted) == wanted
    assert not read["description"]
    assert read["updatedAt"] == changed["updatedAt"]

    environments_live_and_end(tf, made["id"])
    assert tf("DELETE", f"/api/v2/workspace/{unique}-2", {})["workspace"]["id"] == made["id"]
    tf("GET", by_id, status=404)


def environments_live_and_end(tf, project):
    all_of_them = f"/api/v1/workspace/{project}/environments"
    made = []
    for position, slug in enumerate(("qa", "live"), 1):
        body = {"name": slug.upper(), "slug": slug, "position": position, "workspaceId": project}
        made.append(tf("POST", all_of_them, body)["environment"])
    for position, environment in enumerate(made, 1):
        fields = "id", "name", "slug", "position", "projectId"
        assert environment["position"] == position and environment["projectId"] == project
        read = tf("GET", f"/api/v1/workspace/environments/{environment['id']}")["environment"]
        assert picked(read, *fields) == picked(environment, *fields)
        slug = f"/api/v1/projects/{project}/environments/slug/{environment['slug']}"
        assert picked(tf("GET", slug), *fields) == picked(environment, *fields)
    one = made[0]["id"]
    # The capital letters are the provider's.
    body = {"ID": one, "ProjectID": project, "name": "Changed", "slug": "changed", "position": 2}
    tf("PATCH", f"{all_of_them}/{one}", body)
    read = tf("GET", f"/api/v1/workspace/environments/{one}")["environment"]
    assert (read["name"], read["slug"], read["position"]) == ("Changed", "changed", 2)
    listed = tf("GET", f"/api/v1/workspace/{project}")["workspace"]["environments"]
    assert [each["slug"] for each in listed] == ["live", "changed"]
    tf("DELETE", f"{all_of_them}/{one}", {"id": one, "workspaceId": project})
    tf("GET", f"/api/v1/workspace/environments/{one}", status=404)


def test_a_project_with_nothing_but_a_name(tf, server, unique):
    body = {
        "projectName": unique,
        "slug": "",
        "organizationSlug": server.organization_slug,
        "shouldCreateDefaultEnvs": False,
        "hasDeleteProtection": False,
    }
    made = tf("POST", "/api/v2/workspace", body)["project"]
    read = tf("GET", f"/api/v1/workspace/{made['id']}")["workspace"]
    assert read["name"] == unique and read["slug"] == made["slug"] and read["slug"]
    assert read["hasDeleteProtection"] is False
    tf("DELETE", f"/api/v2/workspace/{made['slug']}", {})


@pytest.mark.parametrize("description", ["", "what it is for"])
def test_a_folder(tf, place, description):
    where = {"workspaceId": place["workspaceId"], "environment": "dev"}
    parent = place["secretPath"]
    body = {**where, "name": "app", "path": parent, "description": description}
    made = tf("POST", "/api/v1/folders", body)["folder"]
    by_id = f"/api/v1/folders/{made['id']}"
    read = tf("GET", by_id)["folder"]
    assert (read["name"], read["path"]) == ("app", f"{parent}/app")
    assert (read["description"] or "") == description
    assert (read["projectId"], read["envId"]) == (where["workspaceId"], made["envId"])
    assert read["environment"]["envSlug"] == "dev"
    segment = urllib.parse.quote(f"{parent}/app", safe="")
    by_path = f"/api/v1/folders/{where['workspaceId']}/dev/{segment}"
    found = tf("GET", by_path)["folder"]
    assert (found["id"], found["path"]) == (made["id"], f"{parent}/app")
    (listed,) = tf("GET", "/api/v1/folders", params={**where, "path": parent})["folders"]
    assert (listed["id"], listed["description"] or "") == (made["id"], description)

    body |= {"id": made["id"], "name": "renamed", "description": "changed"}
    assert tf("PATCH", by_id, body)["folder"]["name"] == "renamed"
    read = tf("GET", by_id)["folder"]
    assert (read["name"], read["description"]) == ("renamed", "changed")
    tf("GET", by_path, status=404)
    gone = {
        "id": made["id"],
        "environment": "dev",
        "projectId": where["workspaceId"],
        "path": parent,
        "forceDelete": False,
    }
    tf("DELETE", f"/api/v2/folders/{made['id']}", gone)
    tf("GET", by_id, status=404)


SECRET = (
    "id version workspace type environment secretPath secretKey secretValue secretComment "
    "updatedAt secretReminderNote secretReminderRepeatDays secretMetadata tags"
).split()


@pytest.fixture
def tag(tf, server, unique):
    tags = f"/api/v1/workspace/{server.project_id}/tags"
    body = {"name": unique, "color": "", "slug": unique, "projectId": server.project_id}
    made = tf("POST", tags, body)["workspaceTag"]
    yield made
    tf("DELETE", f"{tags}/{made['id']}", {"projectId": server.project_id, "tagId": made["id"]})


def test_a_secret(tf, place, tag):
    place = {**place, "type": "shared"}
    path = "/api/v3/secrets/raw/KEY"
    body = {
        **place,
        "secretKey": "KEY",
        "secretValue": "one",
        "secretComment": "",
        "secretReminderNote": "rotate",
        "secretReminderRepeatDays": 30,
        "tagIds": [tag["id"]],
        "secretMetadata": [
            {"key": "owner", "value": "team", "isEncrypted": False},
            {"key": "pin", "value": "1234", "isEncrypted": True},
        ],
    }
    made = tf("POST", path, body)["secret"]
    by_id = f"/api/v3/secrets/raw/id/{made['id']}"
    read = tf("GET", by_id)["secret"]
    assert set(SECRET) <= set(read)
    assert (read["secretKey"], read["secretValue"], read["version"]) == ("KEY", "one", 1)
    assert (read["secretPath"], read["environment"]) == (place["secretPath"], "dev")
    assert (read["secretReminderNote"], read["secretReminderRepeatDays"]) == ("rotate", 30)
    assert [each["id"] for each in read["tags"]] == [tag["id"]]
    metadata = sorted(read["secretMetadata"], key=lambda each: each["key"])
    assert metadata == body["secretMetadata"]
    by_name = tf("GET", path, params={**place, "viewSecretValue": "true"})["secret"]
    assert picked(by_name, *SECRET) == picked(read, *SECRET)
    # A second plan finds nothing to do.
    assert tf("GET", by_id)["secret"] == read

    change = {
        **place,
        "secretName": "KEY",
        "newSecretName": "NEW",
        "secretValue": "two",
        "secretReminderNote": "",
        "secretReminderRepeatDays": 0,
        "tagIds": [],
        "secretMetadata": [],
    }
    changed = tf("PATCH", path, change)["secret"]
    assert (changed["id"], changed["updatedAt"] > made["updatedAt"]) == (made["id"], True)
    read = tf("GET", by_id)["secret"]
    assert (read["secretKey"], read["secretValue"], read["version"]) == ("NEW", "two", 2)
    assert not read["secretReminderNote"] and not read["secretReminderRepeatDays"]
    assert (read["tags"], read["secretMetadata"]) == ([], [])
    gone = {**place, "secretName": "NEW"}
    assert tf("DELETE", "/api/v3/secrets/raw/NEW", gone)["secret"]["id"] == made["id"]
    tf("GET", by_id, status=404)
    tf("GET", "/api/v3/secrets/raw/NEW", params=place, status=404)


def test_a_secret_is_found_by_its_id_after_its_folder_got_another_name(tf, place):
    where = {"workspaceId": place["workspaceId"], "environment": "dev"}
    body = {**where, "name": "old", "path": place["secretPath"], "description": ""}
    folder = tf("POST", "/api/v1/folders", body)["folder"]
    body = {**where, "secretPath": f"{place['secretPath']}/old", "secretValue": "v"}
    made = tf("POST", "/api/v3/secrets/raw/KEY", body)["secret"]
    body = {**where, "id": folder["id"], "name": "new", "path": place["secretPath"]}
    tf("PATCH", f"/api/v1/folders/{folder['id']}", {**body, "description": ""})
    read = tf("GET", f"/api/v3/secrets/raw/id/{made['id']}")["secret"]
    assert (read["secretPath"], read["secretValue"]) == (f"{place['secretPath']}/new", "v")
    assert read["version"] == 1


def test_a_data_source_reads_expanded_values(tf, secret):
    tf("POST", "/api/v3/secrets/raw/URL", {**secret, "secretValue": "<${KEY}>"})
    query = {**secret, "expandSecretReferences": "true"}
    listed = tf("GET", "/api/v3/secrets/raw", params=query)
    values = {each["secretKey"]: each["secretValue"] for each in listed["secrets"]}
    assert values == {"KEY": "one", "URL": "<one>"}
    for each in listed["secrets"]:
        assert set(SECRET) <= set(each)


def test_imports(tf, place):
    where = {"workspaceId": place["workspaceId"], "environment": "dev"}
    parent = place["secretPath"]
    for name in ("a", "b"):
        body = {**where, "name": name, "path": parent, "description": ""}
        tf("POST", "/api/v1/folders", body)
    imports = "/api/v1/secret-imports"
    body = {**where, "path": parent, "isReplication": False}
    made = [
        tf("POST", imports, {**body, "import": {"environment": "dev", "path": f"{parent}/{name}"}})
        for name in ("a", "b")
    ]
    first, second = (each["secretImport"] for each in made)
    for one, source in ((first, "a"), (second, "b")):
        read = tf("GET", f"{imports}/{one['id']}")["secretImport"]
        assert (read["secretPath"], read["importPath"]) == (parent, f"{parent}/{source}")
        assert (read["projectId"], read["isReplication"]) == (where["workspaceId"], False)
        assert read["importEnv"]["slug"] == read["environment"]["slug"] == "dev"
    listed = tf("GET", imports, params={**where, "path": parent})["secretImports"]
    assert [each["id"] for each in listed] == [first["id"], second["id"]]

    change = {**body, "id": first["id"], "import": {"environment": "staging", "path": "/"}}
    tf("PATCH", f"{imports}/{first['id']}", change)
    read = tf("GET", f"{imports}/{first['id']}")["secretImport"]
    assert (read["importEnv"]["slug"], read["importPath"]) == ("staging", "/")
    gone = {**where, "id": first["id"], "path": parent}
    assert tf("DELETE", f"{imports}/{first['id']}", gone)["secretImport"]["id"] == first["id"]
    tf("GET", f"{imports}/{first['id']}", status=404)
    (left,) = tf("GET", imports, params={**where, "path": parent})["secretImports"]
    assert left["id"] == second["id"]


def test_sub_organizations(tf, unique):
    made = tf("POST", "/api/v1/sub-organizations", {"name": unique, "slug": unique})["organization"]
    listed = tf("GET", "/api/v1/sub-organizations", params={"limit": 100})["organizations"]
    assert made["id"] in {each["id"] for each in listed}
    one = f"/api/v1/sub-organizations/{made['id']}"
    assert tf("PATCH", one, {"name": f"{unique}-2"})["organization"]["name"] == f"{unique}-2"
    tf("DELETE", one, {})
    listed = tf("GET", "/api/v1/sub-organizations", params={"limit": 100})["organizations"]
    assert made["id"] not in {each["id"] for each in listed}


def test_many_requests_at_once_are_all_answered(api, secret):
    """`-parallelism` of ten, with what a burst of it does to an answer: none is lost or mixed up."""

    def write_and_read(number):
        path = f"/api/v3/secrets/raw/P{number}"
        made = api("POST", path, json={**secret, "secretValue": f"v{number}"})
        read = api("GET", path, params=secret)
        return made.status_code, read.json()["secret"]["secretValue"]

    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(write_and_read, range(30)))
    assert answers == [(200, f"v{number}") for number in range(30)]
