"""`infisicalsdk` from PyPI, as a program would use it.

Not yet, because the server gains these in later issues: imports, secret references, dynamic
secrets and their leases, keys (`client.kms`), and the logins other than universal auth and a
ready token (AWS, OIDC, LDAP). Personal overrides are out of this client's reach: it always says
`shared`.
"""

import pytest
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
