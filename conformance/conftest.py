"""Where the server is and who may use it, from the file that `kms server --dev` wrote."""

import json
import os
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Server:
    url: str
    email: str
    password: str
    organization_id: str
    organization_slug: str
    project_id: str
    project_slug: str
    identity_id: str
    client_id: str
    client_secret: str


@pytest.fixture(scope="session")
def server() -> Server:
    path = os.environ["KMS_CONFORMANCE_CREDENTIALS"]
    said = json.loads(Path(path).read_text(encoding="utf-8"))
    assert said["environments"] == ["dev", "staging", "prod"]
    return Server(
        url=said["url"],
        email=said["user"]["email"],
        password=said["user"]["password"],
        organization_id=said["organization"]["id"],
        organization_slug=said["organization"]["slug"],
        project_id=said["project"]["id"],
        project_slug=said["project"]["slug"],
        identity_id=said["machineIdentity"]["id"],
        client_id=said["machineIdentity"]["clientId"],
        client_secret=said["machineIdentity"]["clientSecret"],
    )


@pytest.fixture
def unique() -> str:
    """A name that no other test uses, fit for secrets, folders and slugs."""
    return f"c{uuid.uuid4().hex[:12]}"
