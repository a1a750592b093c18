"""What every client of the compatible API takes for granted, checked on the bytes.

The published clients differ in their HTTP stacks: one only reads a body that calls itself JSON,
one turns a redirected POST into a GET, one sends forms, one sends `True`. A server that gets one
of these wrong fails some client in silence, so each is checked here by itself.
"""

import pytest
import requests


class Api:
    """Requests to one server, without the environment's proxies, without following redirects."""

    def __init__(self, url, token=None):
        self.url = url
        self.token = token
        self.session = requests.Session()
        self.session.trust_env = False

    def __call__(self, method, path, *, token=True, headers=None, **arguments):
        headers = dict(headers or {})
        if token and self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        return self.session.request(
            method,
            self.url + path,
            headers=headers,
            allow_redirects=False,
            timeout=30,
            **arguments,
        )


@pytest.fixture(scope="session")
def api(server):
    anonymous = Api(server.url)
    answer = anonymous(
        "POST",
        "/api/v1/auth/universal-auth/login",
        json={"clientId": server.client_id, "clientSecret": server.client_secret},
    )
    assert answer.status_code == 200, answer.text
    return Api(server.url, answer.json()["accessToken"])


@pytest.fixture
def place(api, server, unique):
    """Coordinates of a folder of the test's own, as version 3 spells them."""
    where = {"workspaceId": server.project_id, "environment": "dev"}
    made = api("POST", "/api/v1/folders", json={**where, "name": unique, "path": "/"})
    assert made.status_code == 200, made.text
    yield {**where, "secretPath": f"/{unique}"}
    gone = api("DELETE", f"/api/v1/folders/{unique}", json={**where, "path": "/"})
    assert gone.status_code == 200, gone.text


@pytest.fixture
def secret(api, place):
    """A secret `KEY` with the value `one` in that folder; its coordinates."""
    made = api("POST", "/api/v3/secrets/raw/KEY", json={**place, "secretValue": "one"})
    assert made.status_code == 200, made.text
    return place
