import pytest


@pytest.fixture
def tags(ask, server, unique):
    """Two tags of the test's own, which the SDK can use but not make."""
    path = f"/api/v1/projects/{server.project_id}/tags"
    made = [
        ask("POST", path, {"slug": f"{unique}-{part}", "color": "#fff"})["tag"] for part in "ab"
    ]
    yield made
    for tag in made:
        ask("DELETE", f"{path}/{tag['id']}", {})


@pytest.fixture
def tag(tags):
    return tags[0]


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


def test_one_of_several_tags_is_enough_to_be_listed(client, place, tags):
    one, other = tags
    for name, wanted in (("ONE", [one]), ("OTHER", [other]), ("BOTH", tags), ("NONE", [])):
        client.secrets.create_secret_by_name(
            secret_name=name, secret_value=name, tags_ids=[tag["id"] for tag in wanted], **place
        )

    def found(*filters):
        listed = client.secrets.list_secrets(tag_filters=list(filters), **place)
        return sorted(secret.secretValue for secret in listed.secrets)

    assert found(one["slug"]) == ["BOTH", "ONE"]
    assert found(one["slug"], other["slug"]) == ["BOTH", "ONE", "OTHER"]
    assert found("no-such-tag") == []
    assert found() == ["BOTH", "NONE", "ONE", "OTHER"]


def test_an_update_puts_other_tags_in_place_of_those_there(client, place, tags):
    one, other = tags
    client.secrets.create_secret_by_name(
        secret_name="KEY", secret_value="v", tags_ids=[one["id"]], **place
    )
    client.secrets.update_secret_by_name(
        current_secret_name="KEY", tags_ids=[other["id"]], **place
    )
    read = client.secrets.get_secret_by_name(secret_name="KEY", **place)
    assert [each["slug"] for each in read.tags] == [other["slug"]]
    assert (read.version, read.secretValue) == (2, "v")


def test_a_tag_goes_along_with_a_new_name_and_stays_out_of_former_versions(client, place, tag):
    client.secrets.create_secret_by_name(secret_name="KEY", secret_value="v", **place)
    client.secrets.update_secret_by_name(
        current_secret_name="KEY", tags_ids=[tag["id"]], new_secret_name="NEW", **place
    )
    now = client.secrets.get_secret_by_name(secret_name="NEW", **place)
    assert ([each["id"] for each in now.tags], now.version) == ([tag["id"]], 2)
