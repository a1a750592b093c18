"""Content types, error bodies, redirects and trailing slashes."""

import pytest

UNKNOWN = "00000000-0000-4000-8000-000000000000"


def assert_json(answer):
    assert answer.headers["content-type"].startswith("application/json")


def assert_error(answer, status):
    assert answer.status_code == status, answer.text
    assert_json(answer)
    body = answer.json()
    assert body["statusCode"] == status
    assert isinstance(body["reqId"], str) and body["reqId"]
    assert isinstance(body["error"], str) and body["error"]
    # The command-line client drops the whole body if `message` is anything but text; only
    # validation, of which it shows the raw body, may answer with a list.
    assert isinstance(body["message"], list if status == 422 else str) and body["message"]


def test_readiness_is_said_without_authentication(api):
    answer = api("GET", "/api/status", token=False)
    assert answer.status_code == 200
    assert_json(answer)
    assert answer.json()["message"] == "Ok"


def test_successes_are_200_and_json(api, place):
    secret = "/api/v3/secrets/raw/KEY"
    answers = [
        api("POST", secret, json={**place, "secretValue": "v"}),
        api("GET", secret, params=place),
        api("GET", "/api/v3/secrets/raw", params=place),
        api("PATCH", secret, json={**place, "secretValue": "w"}),
        api("DELETE", secret, json=place),
    ]
    assert [answer.status_code for answer in answers] == [200] * 5
    for answer in answers:
        assert_json(answer)


def test_errors_have_one_body(api, place):
    secret = "/api/v3/secrets/raw/KEY"
    assert_error(api("GET", secret, params=place, token=False), 401)
    assert_error(api("GET", secret, params=place, headers={"Authorization": "Bearer x.y.z"}), 403)
    assert_error(api("GET", secret, params=place), 404)
    assert_error(api("GET", secret, params={**place, "expandSecretReferences": "perhaps"}), 422)
    assert_error(api("POST", "/api/v1/folders", json={}), 422)
    assert_error(api("POST", secret, json={**place, "secretValue": 5}), 422)
    broken = api("POST", secret, data=b"{", headers={"Content-Type": "application/json"})
    assert_error(broken, 400)


def test_an_unknown_route_is_a_json_404(api):
    answer = api("GET", "/api/v1/no-such-route")
    assert answer.status_code == 404
    assert_json(answer)
    body = answer.json()
    assert body["statusCode"] == 404
    assert isinstance(body["message"], str) and isinstance(body["error"], str)


def test_an_error_does_not_repeat_a_value(api, place):
    value = "do-not-repeat-me"
    api("POST", "/api/v3/secrets/raw/KEY", json={**place, "secretValue": value})
    answers = [
        api("POST", "/api/v3/secrets/raw/KEY", json={**place, "secretValue": value}),
        api("POST", "/api/v3/secrets/raw/A:B", json={**place, "secretValue": value}),
        api("POST", "/api/v3/secrets/raw/B", json={**place, "secretValue": [value]}),
    ]
    assert [answer.status_code for answer in answers] == [400, 422, 422]
    assert [answer.text for answer in answers if value in answer.text] == []


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_trailing_slash_changes_nothing(api, server, secret, slash):
    login = {"clientId": server.client_id, "clientSecret": server.client_secret}
    logged_in = api("POST", f"/api/v1/auth/universal-auth/login{slash}", json=login, token=False)
    assert logged_in.status_code == 200
    assert logged_in.json()["accessToken"]
    listed = api("GET", f"/api/v3/secrets/raw{slash}", params=secret)
    assert [s["secretKey"] for s in listed.json()["secrets"]] == ["KEY"]
    read = api("GET", f"/api/v3/secrets/raw/KEY{slash}", params=secret)
    assert read.json()["secret"]["secretValue"] == "one"
    assert api("GET", f"/api/status{slash}", token=False).json()["message"] == "Ok"


def test_no_route_of_the_api_redirects(api, place):
    paths = [
        "/api/status/",
        "/api/v1/workspace/",
        "/api/v1/projects/",
        "/api/v2/folders/",
        "/api/v3/secrets/raw/",
        "/api/v4/secrets/",
        "/api/v1/no-such-route/",
        "/api/",
        "/api",
    ]
    statuses = {path: api("GET", path, params=place).status_code for path in paths}
    assert {path: code for path, code in statuses.items() if 300 <= code < 400} == {}


def test_unknown_fields_are_ignored(api, server, place):
    login = {
        "clientId": server.client_id,
        "clientSecret": server.client_secret,
        "somethingNew": {"a": [1]},
    }
    answer = api("POST", "/api/v1/auth/universal-auth/login", json=login, token=False)
    assert answer.status_code == 200
    body = {**place, "secretValue": "v", "secretKey": "KEY", "secretName": "KEY", "x": 1}
    assert api("POST", "/api/v3/secrets/raw/KEY", json=body).status_code == 200
    read = api("GET", "/api/v3/secrets/raw/KEY", params={**place, "secretName": "KEY", "x": "1"})
    assert read.json()["secret"]["secretValue"] == "v"


def test_places_that_do_not_exist_are_told_apart_from_forbidden_ones(api, place):
    nowhere = {**place, "environment": "nowhere"}
    assert_error(api("GET", "/api/v3/secrets/raw", params=nowhere), 404)
    assert_error(api("GET", f"/api/v3/secrets/raw/id/{UNKNOWN}"), 404)
