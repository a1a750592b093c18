"""What the Kubernetes operator sends, in its order: probe, login, sync, and syncs that change nothing.

It keeps the tag of each answer and writes nothing when the next one is 304. A tag that stays the
same when an imported or a referenced secret changed would leave a cluster with old secrets.
"""

import pytest

QUERIES = {
    # As its client library for Go asks for it.
    "v1alpha1": (
        "/api/v3/secrets/raw",
        lambda place: {
            **place,
            "workspaceSlug": "",
            "expandSecretReferences": "true",
            "include_imports": "true",
            "recursive": "false",
        },
    ),
    # Everything but `recursive` is left to what the server takes for granted.
    "v1beta1": (
        "/api/v4/secrets",
        lambda place: {
            "projectId": place["workspaceId"],
            "environment": place["environment"],
            "secretPath": place["secretPath"],
            "recursive": "false",
        },
    ),
}


class Cluster:
    """One resource of the operator's: what it asks, and what it remembers."""

    def __init__(self, api, version, place):
        self.api = api
        self.path, query = QUERIES[version]
        self.query = query(place)
        self.tag = None

    def sync(self, **headers):
        headers["User-Agent"] = "k8-operator/v0.10.0"
        if self.tag:
            headers["If-None-Match"] = self.tag
        answer = self.api("GET", self.path, params=self.query, headers=headers)
        if answer.status_code == 304:
            assert answer.content == b""
            assert answer.headers["etag"] == self.tag
            return None
        assert answer.status_code == 200, answer.text
        assert answer.headers["etag"] != self.tag
        self.tag = answer.headers["etag"]
        return self.merged(answer.json())

    @staticmethod
    def merged(body):
        """Own secrets win, then the first import that has it: the operator's rule."""
        values = {each["secretKey"]: each["secretValue"] for each in body["secrets"]}
        for each in body["imports"]:
            for secret in each["secrets"]:
                values.setdefault(secret["secretKey"], secret["secretValue"])
        return values


@pytest.fixture(params=QUERIES)
def cluster(api, place, request):
    return Cluster(api, request.param, place)


@pytest.fixture
def write(api, place):
    """Makes, changes and deletes secrets in the test's folder, or in one of another environment."""

    def write(method, name, value=None, **more):
        body = {**place, **more} | ({} if value is None else {"secretValue": value})
        answer = api(method, f"/api/v3/secrets/raw/{name}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()["secret"]

    return write


@pytest.fixture
def folder(api, place):
    """Makes a folder in the test's own; its path."""

    def folder(name):
        body = {"workspaceId": place["workspaceId"], "environment": "dev", "name": name}
        answer = api("POST", "/api/v1/folders", json={**body, "path": place["secretPath"]})
        assert answer.status_code == 200, answer.text
        return f"{place['secretPath']}/{name}"

    return folder


@pytest.fixture
def imports(api, place):
    def imports(source, into=None):
        body = {
            "workspaceId": place["workspaceId"],
            "environment": "dev",
            "path": into or place["secretPath"],
            "import": {"environment": "dev", "path": source},
        }
        answer = api("POST", "/api/v1/secret-imports", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()["secretImport"]

    return imports


def test_the_first_sync(api, server, place, write):
    probe = api("GET", "/api/status", token=False)
    assert (probe.status_code, probe.json()["message"]) == (200, "Ok")
    login = {"clientId": server.client_id, "clientSecret": server.client_secret}
    path = "/api/v1/auth/universal-auth/login"
    token = api("POST", path, token=False, json=login).json()["accessToken"]
    headers = {"Authorization": f"Bearer {token}"}
    project = api("GET", f"/api/v1/projects/slug/{server.project_slug}", headers=headers).json()
    assert project["id"] == server.project_id
    write("POST", "KEY", "one")
    for version in QUERIES:
        assert Cluster(api, version, place).sync(**headers) == {"KEY": "one"}


def test_a_sync_that_finds_nothing_new_is_not_sent_again(cluster, write):
    write("POST", "KEY", "one")
    assert cluster.sync() == {"KEY": "one"}
    for _ in range(3):
        assert cluster.sync() is None


def test_every_change_of_the_folder_is_seen(cluster, write):
    write("POST", "KEY", "one")
    assert cluster.sync() == {"KEY": "one"}
    write("PATCH", "KEY", "two")
    assert cluster.sync() == {"KEY": "two"}
    write("POST", "MORE", "more")
    assert cluster.sync() == {"KEY": "two", "MORE": "more"}
    write("PATCH", "MORE", newSecretName="OTHER")
    assert cluster.sync() == {"KEY": "two", "OTHER": "more"}
    write("DELETE", "KEY")
    assert cluster.sync() == {"OTHER": "more"}
    # The value that it had before, and yet another version.
    write("PATCH", "OTHER", "else")
    write("PATCH", "OTHER", "more")
    assert cluster.sync() == {"OTHER": "more"}
    assert cluster.sync() is None


def test_a_change_elsewhere_is_none(cluster, write, folder):
    write("POST", "KEY", "one")
    assert cluster.sync() == {"KEY": "one"}
    write("POST", "FAR", "far", secretPath=folder("far"))
    assert cluster.sync() is None


def test_a_change_in_an_imported_folder_is_seen(cluster, write, folder, imports):
    source, deeper = folder("source"), folder("deeper")
    write("POST", "KEY", "own")
    write("POST", "A", "a", secretPath=source)
    write("POST", "B", "b", secretPath=deeper)
    assert cluster.sync() == {"KEY": "own"}
    made = imports(source)
    assert cluster.sync() == {"KEY": "own", "A": "a"}
    write("PATCH", "A", "a2", secretPath=source)
    assert cluster.sync() == {"KEY": "own", "A": "a2"}
    # What the imported folder imports in its turn.
    imports(deeper, into=source)
    assert cluster.sync() == {"KEY": "own", "A": "a2", "B": "b"}
    write("PATCH", "B", "b2", secretPath=deeper)
    assert cluster.sync() == {"KEY": "own", "A": "a2", "B": "b2"}
    write("DELETE", "B", secretPath=deeper)
    assert cluster.sync() == {"KEY": "own", "A": "a2"}
    write("POST", "KEY", "theirs", secretPath=source)
    assert cluster.sync() == {"KEY": "own", "A": "a2"}
    gone = {"workspaceId": cluster_project(cluster), "environment": "dev"}
    gone |= {"path": cluster.query["secretPath"], "id": made["id"]}
    assert cluster.api("DELETE", f"/api/v1/secret-imports/{made['id']}", json=gone).ok
    assert cluster.sync() == {"KEY": "own"}
    assert cluster.sync() is None


def cluster_project(cluster):
    return cluster.query.get("workspaceId") or cluster.query["projectId"]


def test_another_order_of_imports_is_seen(cluster, write, folder, imports):
    made = []
    for name in ("first", "second"):
        path = folder(name)
        write("POST", "KEY", name, secretPath=path)
        made.append(imports(path))
    assert cluster.sync() == {"KEY": "first"}
    body = {"workspaceId": cluster_project(cluster), "environment": "dev"}
    body |= {"path": cluster.query["secretPath"], "import": {"position": 1}}
    assert cluster.api("PATCH", f"/api/v1/secret-imports/{made[1]['id']}", json=body).ok
    assert cluster.sync() == {"KEY": "second"}


def test_a_change_of_a_referenced_secret_is_seen(cluster, write, folder):
    far = folder("far")
    dotted = far.strip("/").replace("/", ".")
    write("POST", "C", "c", secretPath=far)
    write("POST", "B", "${C}", secretPath=far)
    write("POST", "A", "<${dev.%s.B}>" % dotted)
    assert cluster.sync() == {"A": "<c>"}
    assert cluster.sync() is None
    # Two steps away, in a folder that is not listed.
    write("PATCH", "C", "c2", secretPath=far)
    assert cluster.sync() == {"A": "<c2>"}
    write("DELETE", "C", secretPath=far)
    assert cluster.sync() == {"A": "<${C}>"}
    write("POST", "C", "c3", secretPath=far)
    assert cluster.sync() == {"A": "<c3>"}
    # Another name changes what is stored, and the version that comes along; not the value.
    write("PATCH", "B", newSecretName="Z", secretPath=far)
    assert cluster.sync() == {"A": "<c3>"}
    assert cluster.sync() is None


def test_a_change_of_a_secret_that_an_import_refers_to_is_seen(cluster, write, folder, imports):
    source, far = folder("source"), folder("far")
    write("POST", "HOST", "db", secretPath=far)
    dotted = far.strip("/").replace("/", ".")
    write("POST", "URL", "pg://${dev.%s.HOST}" % dotted, secretPath=source)
    imports(source)
    assert cluster.sync() == {"URL": "pg://db"}
    write("PATCH", "HOST", "db2", secretPath=far)
    assert cluster.sync() == {"URL": "pg://db2"}
    assert cluster.sync() is None


def test_a_change_in_another_environment_is_seen(cluster, write, unique):
    there = {"environment": "prod", "secretPath": "/"}
    write("POST", unique, "one", **there)
    try:
        write("POST", "KEY", "${prod.%s}" % unique)
        assert cluster.sync() == {"KEY": "one"}
        write("PATCH", unique, "two", **there)
        assert cluster.sync() == {"KEY": "two"}
    finally:
        write("DELETE", unique, **there)


def test_a_folder_with_another_name_is_seen(api, cluster, write, folder):
    far = folder("far")
    dotted = far.strip("/").replace("/", ".")
    write("POST", "B", "b", secretPath=far)
    write("POST", "A", "${dev.%s.B}" % dotted)
    assert cluster.sync() == {"A": "b"}
    body = {"workspaceId": cluster_project(cluster), "environment": "dev", "name": "moved"}
    body["path"] = cluster.query["secretPath"]
    assert api("PATCH", "/api/v1/folders/far", json=body).ok
    after = cluster.sync()
    # Whether references follow is the server's to say; an answer that changed is not hidden.
    fresh = Cluster(api, "v1beta1", {**body, "secretPath": body["path"]})
    assert (after or {"A": "b"}) == fresh.sync()


def test_a_tag_of_one_resource_is_none_of_another(api, place, write):
    write("POST", "KEY", "one")
    old, new = (Cluster(api, version, place) for version in QUERIES)
    assert old.sync() == new.sync() == {"KEY": "one"}
    stolen = Cluster(api, "v1beta1", {**place, "secretPath": "/"})
    stolen.tag = new.tag
    assert stolen.sync() is not None


def test_a_tag_ends_with_the_right_to_read(api, server, place, write):
    write("POST", "KEY", "one")
    cluster = Cluster(api, "v1alpha1", place)
    assert cluster.sync() == {"KEY": "one"}
    headers = {"If-None-Match": cluster.tag}
    for token in ({"Authorization": "Bearer x.y.z"}, {"Authorization": f"Bearer st.{'0' * 8}.x"}):
        answer = api("GET", cluster.path, params=cluster.query, headers={**headers, **token})
        assert answer.status_code in (401, 403, 404)
    foreign = {**cluster.query, "workspaceId": "00000000-0000-4000-8000-000000000000"}
    assert api("GET", cluster.path, params=foreign, headers=headers).status_code == 404


def test_a_push_and_what_it_takes_back(api, place):
    """A secret of the cluster is pushed: read, then made or changed, and deleted in the end."""
    path = "/api/v3/secrets/raw/PUSHED"
    query = {
        **place,
        "workspaceSlug": "",
        "expandSecretReferences": "false",
        "include_imports": "false",
        "type": "shared",
    }
    assert api("GET", path, params=query).status_code == 404
    body = {**place, "secretValue": "one", "skipMultilineEncoding": False}
    made = api("POST", path, json=body).json()["secret"]
    assert made["id"]
    body = {**place, "secretValue": "two"}
    assert api("PATCH", path, json=body).json()["secret"]["id"] == made["id"]
    assert api("GET", path, params=query).json()["secret"]["secretValue"] == "two"
    assert api("DELETE", path, json=place).json()["secret"]["id"] == made["id"]
    assert api("GET", path, params=query).status_code == 404


def test_a_service_token_syncs(api, server, place, write):
    """Its first three parts on the way to the scope, all four at the list."""
    login = {"email": server.email, "password": server.password}
    first = api("POST", "/api/v3/auth/login", token=False, json=login).json()["accessToken"]
    chosen = api(
        "POST",
        "/api/v3/auth/select-organization",
        headers={"Authorization": f"Bearer {first}"},
        json={"organizationId": server.organization_id},
    ).json()["token"]
    scope = {"environment": "dev", "secretPath": place["secretPath"]}
    made = api(
        "POST",
        "/api/v2/service-token/",
        headers={"Authorization": f"Bearer {chosen}"},
        json={
            "name": "operator",
            "workspaceId": server.project_id,
            "scopes": [scope],
            "expiresIn": 600,
            "permissions": ["read"],
        },
    ).json()["serviceToken"]
    write("POST", "KEY", "one")
    said = api("GET", "/api/v2/service-token", headers={"Authorization": f"Bearer {made}"}).json()
    assert (said["workspace"], said["scopes"]) == (server.project_id, [scope])
    whole = {"Authorization": f"Bearer {made}.{'00' * 16}"}
    cluster = Cluster(api, "v1alpha1", place)
    assert cluster.sync(**whole) == {"KEY": "one"}
    assert cluster.sync(**whole) is None
    write("PATCH", "KEY", "two")
    assert cluster.sync(**whole) == {"KEY": "two"}
