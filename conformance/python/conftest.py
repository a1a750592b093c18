"""`infisicalsdk` from PyPI, as a program would use it.

Not here: dynamic secrets and their leases, keys (`client.kms`), and the login by LDAP. Personal
overrides are out of this client's reach: it always says `shared`. Imports and tags it can use but not
make; those are made over raw HTTP.
"""

import json
import os
from pathlib import Path

import pytest
import requests
from infisical_sdk import InfisicalSDKClient


@pytest.fixture(scope="session")
def client(server):
    # Without its cache: else most reads here would be answered by the client itself.
    with InfisicalSDKClient(host=server.url, cache_ttl=None) as client:
        client.auth.universal_auth.login(server.client_id, server.client_secret)
        yield client


@pytest.fixture
def place(client, server, unique):
    """Coordinates of a folder of the test's own, which goes away with everything in it."""
    client.folders.create_folder(
        name=unique, environment_slug="dev", project_id=server.project_id, path="/"
    )
    yield {
        "project_id": server.project_id,
        "environment_slug": "dev",
        "secret_path": f"/{unique}",
    }
    client.folders.delete_folder(
        folder_id_or_name=unique,
        environment_slug="dev",
        project_id=server.project_id,
        path="/",
        force_delete=True,
    )


@pytest.fixture(scope="session")
def vendor():
    """What somebody who vouches for machines says about itself."""
    return lambda name: json.loads(Path(os.environ[name]).read_text(encoding="utf-8"))


@pytest.fixture
def ask(client, server):
    """Does what the SDK has no function for, as an administrator would with curl."""

    def ask(method, path, body):
        answer = requests.request(
            method,
            server.url + path,
            json=body,
            headers={"Authorization": f"Bearer {client.get_token()}"},
            timeout=30,
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    return ask


@pytest.fixture
def machine_with(ask, server, unique):
    """Makes a machine identity that may read the project."""

    def make(method, settings):
        identity = ask("POST", "/api/v1/identities", {"name": unique})["identity"]["id"]
        project = f"/api/v1/projects/{server.project_id}"
        ask("POST", f"{project}/memberships/identities/{identity}", {"role": "viewer"})
        ask("POST", f"/api/v1/auth/{method}/identities/{identity}", settings)
        return identity

    return make
