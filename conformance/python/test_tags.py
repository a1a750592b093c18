import pytest
import requests


@pytest.fixture
def tag(server, unique):
    """A tag of the test's own, which the SDK can use but not make."""
    session = requests.Session()
    session.trust_env = False
    login = session.post(
        f"{server.url}/api/v1/auth/universal-auth/login",
        json={"clientId": server.client_id, "clientSecret": server.client_secret},
        timeout=30,
    )
    session.headers["Authorization"] = f"Bearer {login.json()['accessToken']}"
    tags = f"{server.url}/api/v1/projects/{server.project_id}/tags"
    made = session.post(tags, json={"slug": unique, "color": "#fff"}, timeout=30)
    assert made.status_code == 200, made.text
    yield made.json()["tag"]
    session.delete(f"{tags}/{made.json()['tag']['id']}", timeout=30)


def test_a_secret_is_made_with_tags_and_listed_by_them(client, place, tag):
    client.secrets.create_secret_by_name(
        secret_name="TAGGED", secret_value="v", tags_ids=[tag["id"]], **place
    )
    client.secrets.create_secret_by_name(secret_name="PLAIN", secret_value="v", **place)
    listed = client.secrets.list_secrets(tag_filters=[tag["slug"]], **place)
    assert [secret.secretKey for secret in listed.secrets] == ["TAGGED"]
    (found,) = listed.secrets[0].tags
    assert (found["id"], found["slug"], found["color"]) == (tag["id"], tag["slug"], "#fff")


def test_tags_are_kept_and_taken_off_by_an_update(client, place, tag):
    client.secrets.create_secret_by_name(
        secret_name="KEY", secret_value="v", tags_ids=[tag["id"]], **place
    )
    changed = client.secrets.update_secret_by_name(
        current_secret_name="KEY", secret_value="w", **place
    )
    assert [each["slug"] for each in changed.tags] == [tag["slug"]]
    changed = client.secrets.update_secret_by_name(
        current_secret_name="KEY", secret_value="x", tags_ids=[], **place
    )
    assert changed.tags == []


def test_a_former_version_is_read(client, place):
    client.secrets.create_secret_by_name(secret_name="KEY", secret_value="one", **place)
    client.secrets.update_secret_by_name(current_secret_name="KEY", secret_value="two", **place)
    former = client.secrets.get_secret_by_name(secret_name="KEY", version="1", **place)
    assert (former.version, former.secretValue) == (1, "one")
