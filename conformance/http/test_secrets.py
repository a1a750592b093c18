"""Both versions of the secrets API, change detection, and names on their way through a URL."""

import pytest


def read(api, place, path="KEY", **more):
    return api("GET", f"/api/v3/secrets/raw/{path}", params={**place, **more})


def v4(place):
    """The same coordinates as version 4 spells them."""
    return {("projectId" if key == "workspaceId" else key): value for key, value in place.items()}


def test_both_versions_read_the_same_secret(api, server, secret):
    third = api("GET", "/api/v3/secrets/raw", params=secret).json()
    fourth = api("GET", "/api/v4/secrets", params=v4(secret)).json()
    for listed in (third, fourth):
        assert listed["imports"] == []
        (one,) = listed["secrets"]
        assert one["id"] == one["_id"]
        assert one["workspace"] == server.project_id
        assert one["version"] == 1 and type(one["version"]) is int
        assert one["secretComment"] == ""
        assert (one["secretKey"], one["secretValue"], one["type"]) == ("KEY", "one", "shared")
        assert (one["environment"], one["secretPath"]) == ("dev", secret["secretPath"])
    assert third["secrets"][0]["id"] == fourth["secrets"][0]["id"]
    by_name = api("GET", "/api/v4/secrets/KEY", params=v4(secret)).json()["secret"]
    by_id = api("GET", f"/api/v3/secrets/raw/id/{by_name['id']}").json()["secret"]
    assert by_name["secretValue"] == by_id["secretValue"] == "one"


def test_both_versions_write_the_same_secret(api, secret):
    four = v4(secret)
    patched = api("PATCH", "/api/v4/secrets/KEY", json={**four, "secretValue": "two"})
    assert patched.json()["secret"]["version"] == 2
    assert read(api, secret).json()["secret"]["secretValue"] == "two"
    assert api("DELETE", "/api/v4/secrets/KEY", json=four).status_code == 200
    assert read(api, secret).status_code == 404
    assert api("POST", "/api/v4/secrets/KEY", json={**four, "secretValue": "3"}).status_code == 200
    assert read(api, secret).json()["secret"]["secretValue"] == "3"


def test_the_version_of_the_command_line_is_served(api, secret):
    """The exact query that the compatible command line sends for every read."""
    query = {
        **v4(secret),
        "includeImports": "true",
        "recursive": "false",
        "expandSecretReferences": "true",
        "includePersonalOverrides": "true",
    }
    listed = api("GET", "/api/v4/secrets", params=query, headers={"User-Agent": "cli"}).json()
    assert [(s["secretKey"], s["secretValue"]) for s in listed["secrets"]] == [("KEY", "one")]


def test_an_empty_slug_beside_an_id_is_ignored(api, secret):
    answer = api("GET", "/api/v3/secrets/raw", params={**secret, "workspaceSlug": ""})
    assert [s["secretKey"] for s in answer.json()["secrets"]] == ["KEY"]


@pytest.mark.parametrize(
    ("path", "spelling"),
    [
        ("/api/v3/secrets/raw", dict),
        ("/api/v4/secrets", v4),
        ("/api/v4/secrets/KEY", v4),
    ],
    ids=["v3-list", "v4-list", "v4-get"],
)
def test_an_unchanged_read_is_304_until_it_changes(api, secret, path, spelling):
    query = spelling(secret)
    first = api("GET", path, params=query)
    tag = first.headers["etag"]
    assert tag.startswith('"') and tag.endswith('"')
    assert api("GET", path, params=query).headers["etag"] == tag
    same = api("GET", path, params=query, headers={"If-None-Match": tag})
    assert (same.status_code, same.content) == (304, b"")
    assert same.headers["etag"] == tag
    api("PATCH", "/api/v3/secrets/raw/KEY", json={**secret, "secretValue": "two"})
    changed = api("GET", path, params=query, headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert '"two"' in changed.text
    assert changed.headers["etag"] != tag


def test_another_tag_is_no_reason_for_304(api, secret):
    headers = {"If-None-Match": '"something-else"'}
    answer = api("GET", "/api/v3/secrets/raw", params=secret, headers=headers)
    assert answer.status_code == 200
    assert answer.json()["secrets"][0]["secretValue"] == "one"


def test_a_tag_is_no_replacement_for_a_token(api, secret):
    tag = api("GET", "/api/v3/secrets/raw", params=secret).headers["etag"]
    headers = {"If-None-Match": tag}
    answer = api("GET", "/api/v3/secrets/raw", params=secret, headers=headers, token=False)
    assert answer.status_code == 401


def test_a_delete_reads_its_body(api, server, secret):
    elsewhere = {"workspaceId": server.project_id, "environment": "prod"}
    assert api("DELETE", "/api/v3/secrets/raw/KEY", json=elsewhere).status_code == 404
    assert read(api, secret).status_code == 200
    redundant = {**secret, "secretName": "KEY", "type": "shared"}
    assert api("DELETE", "/api/v3/secrets/raw/KEY", json=redundant).status_code == 200
    assert read(api, secret).status_code == 404


def test_a_delete_without_a_body_deletes_nothing(api, secret):
    answer = api("DELETE", "/api/v3/secrets/raw/KEY")
    assert 400 <= answer.status_code < 500
    assert read(api, secret).json()["secret"]["secretValue"] == "one"


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("WITH%20SPACE", "WITH SPACE"),
        ("100%25", "100%"),
        # Decoded once: twice would make another name of it.
        ("A%2542", "A%42"),
        ("%C3%A9", "é"),
        ("A.B-C", "A.B-C"),
    ],
)
def test_a_name_is_decoded_once(api, place, sent, name):
    made = api("POST", f"/api/v3/secrets/raw/{sent}", json={**place, "secretValue": "v"})
    assert made.status_code == 200, made.text
    assert made.json()["secret"]["secretKey"] == name
    assert read(api, place, sent).json()["secret"]["secretKey"] == name
    listed = api("GET", "/api/v3/secrets/raw", params=place).json()["secrets"]
    assert [s["secretKey"] for s in listed] == [name]


@pytest.mark.parametrize("sent", ["A%0AB", "A%00B", "A%1BB", "A%2FB", "A%3AB", "%20", "A%FF"])
def test_a_name_that_cannot_be_one_is_refused(api, place, sent):
    made = api("POST", f"/api/v3/secrets/raw/{sent}", json={**place, "secretValue": "v"})
    assert 400 <= made.status_code < 500, made.text
    assert api("GET", "/api/v3/secrets/raw", params=place).json()["secrets"] == []


def test_a_batch_is_all_or_nothing(api, secret):
    def batch(*pairs):
        secrets = [{"secretKey": key, "secretValue": value} for key, value in pairs]
        return api("POST", "/api/v3/secrets/batch/raw", json={**secret, "secrets": secrets})

    assert batch(("A", "a"), ("KEY", "taken")).status_code == 400
    listed = api("GET", "/api/v3/secrets/raw", params=secret).json()["secrets"]
    assert [(s["secretKey"], s["secretValue"]) for s in listed] == [("KEY", "one")]
    made = batch(("A", "a"), ("B", "b"))
    assert sorted(s["secretKey"] for s in made.json()["secrets"]) == ["A", "B"]
    listed = api("GET", "/api/v3/secrets/raw", params=secret).json()["secrets"]
    assert {s["secretKey"]: s["secretValue"] for s in listed} == {"A": "a", "B": "b", "KEY": "one"}
