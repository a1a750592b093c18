from datetime import datetime, timedelta, timezone

import pytest
from infisical_sdk.infisical_requests import APIError


@pytest.fixture
def home(server, place):
    """Where the folders of a test go: coordinates of its own folder."""
    return {
        "project_id": server.project_id,
        "environment_slug": "dev",
        "path": place["secret_path"],
    }


def names(listed):
    return sorted(folder.name for folder in listed.folders)


def status(call, **arguments):
    """The status with which the server refused."""
    with pytest.raises(APIError) as answer:
        call(**arguments)
    return answer.value.status_code


def test_a_created_folder_is_described(client, home):
    made = client.folders.create_folder(name="app", description="the app's", **home)
    assert made.id and made.envId
    assert made.name == "app"
    assert made.description == "the app's"
    assert made.isReserved is False
    assert made.createdAt and made.updatedAt
    assert made.path == f"{home['path']}/app"


def test_a_folder_is_read_by_id(client, server, home):
    made = client.folders.create_folder(name="app", **home)
    read = client.folders.get_folder_by_id(made.id)
    assert (read.id, read.name, read.envId) == (made.id, "app", made.envId)
    assert read.path == f"{home['path']}/app"
    assert read.projectId == server.project_id
    assert (read.environment.envId, read.environment.envSlug) == (made.envId, "dev")
    assert read.environment.envName


def test_a_list_holds_direct_children(client, home):
    assert client.folders.list_folders(**home).folders == []
    inner = {**home, "path": f"{home['path']}/b"}
    for name in ("b", "a"):
        client.folders.create_folder(name=name, **home)
    client.folders.create_folder(name="deep", **inner)
    assert names(client.folders.list_folders(**home)) == ["a", "b"]
    assert names(client.folders.list_folders(**inner)) == ["deep"]


def test_a_recursive_list_holds_descendants(client, home):
    client.folders.create_folder(name="a", **home)
    client.folders.create_folder(name="b", **{**home, "path": f"{home['path']}/a"})
    listed = client.folders.list_folders(recursive=True, **home)
    # Servers of different age differ in the slashes around it.
    found = {folder.name: folder.relativePath.strip("/") for folder in listed.folders}
    assert found == {"a": "a", "b": "a/b"}


def test_missing_parents_are_made_on_the_way(client, home):
    top = home["path"]
    client.folders.create_folder(name="leaf", **{**home, "path": f"{top}/x/y"})
    assert names(client.folders.list_folders(**home)) == ["x"]
    assert names(client.folders.list_folders(**{**home, "path": f"{top}/x/y"})) == ["leaf"]


def test_a_renamed_folder_takes_its_secrets_along(client, home):
    made = client.folders.create_folder(name="old", **home)
    where = {"project_id": home["project_id"], "environment_slug": "dev"}
    client.secrets.create_secret_by_name(
        secret_name="KEY", secret_value="kept", secret_path=f"{home['path']}/old", **where
    )
    renamed = client.folders.update_folder(folder_id=made.id, name="new", **home)
    assert (renamed.id, renamed.name) == (made.id, "new")
    assert names(client.folders.list_folders(**home)) == ["new"]
    moved = client.secrets.get_secret_by_name(
        secret_name="KEY", secret_path=f"{home['path']}/new", **where
    )
    assert moved.secretValue == "kept"
    old = f"{home['path']}/old"
    assert 404 == status(client.secrets.list_secrets, secret_path=old, **where)


def test_a_folder_cannot_take_its_sibling_s_name(client, home):
    client.folders.create_folder(name="a", **home)
    other = client.folders.create_folder(name="b", **home)
    assert 400 == status(client.folders.update_folder, folder_id=other.id, name="a", **home)
    assert names(client.folders.list_folders(**home)) == ["a", "b"]


def test_a_description_changes_without_the_name(client, home):
    made = client.folders.create_folder(name="app", description="one", **home)
    client.folders.update_folder(folder_id=made.id, name="app", description="two", **home)
    (listed,) = client.folders.list_folders(**home).folders
    assert (listed.id, listed.name, listed.description) == (made.id, "app", "two")


def test_a_list_is_narrowed_to_folders_whose_secrets_changed_since(client, home):
    for name in ("quiet", "busy"):
        client.folders.create_folder(name=name, **home)
    client.secrets.create_secret_by_name(
        secret_name="KEY",
        secret_value="v",
        project_id=home["project_id"],
        environment_slug="dev",
        secret_path=f"{home['path']}/busy",
    )
    now = datetime.now(timezone.utc)
    hour = timedelta(hours=1)
    recent = client.folders.list_folders(last_secret_modified=now - hour, **home)
    assert names(recent) == ["busy"]
    assert names(client.folders.list_folders(last_secret_modified=now + hour, **home)) == []
    assert names(client.folders.list_folders(**home)) == ["busy", "quiet"]


@pytest.mark.parametrize("by", ["id", "name"])
def test_a_deleted_folder_takes_its_contents_along(client, home, by):
    made = client.folders.create_folder(name="app", **home)
    where = {"project_id": home["project_id"], "environment_slug": "dev"}
    inside = {**where, "secret_path": f"{home['path']}/app"}
    client.secrets.create_secret_by_name(secret_name="KEY", secret_value="v", **inside)
    gone = client.folders.delete_folder(
        folder_id_or_name=getattr(made, by), force_delete=True, **home
    )
    assert (gone.id, gone.name) == (made.id, "app")
    assert client.folders.list_folders(**home).folders == []
    assert 404 == status(client.folders.get_folder_by_id, id=made.id)
    assert 404 == status(client.secrets.get_secret_by_name, secret_name="KEY", **inside)
    # The name is free, and what was below it does not come back with it.
    client.folders.create_folder(name="app", **home)
    assert client.secrets.list_secrets(**inside).secrets == []


def test_an_unknown_folder_or_place_is_an_error(client, home):
    unknown = "00000000-0000-4000-8000-000000000000"
    nowhere = {**home, "environment_slug": "nowhere"}
    assert 404 == status(client.folders.get_folder_by_id, id=unknown)
    assert 404 == status(client.folders.delete_folder, folder_id_or_name="none", **home)
    assert 404 == status(client.folders.create_folder, name="app", **nowhere)
    foreign = {**home, "project_id": unknown}
    assert status(client.folders.create_folder, name="app", **foreign) in {403, 404}


@pytest.mark.parametrize("name", ["a b", "a/b", "a.b", "..", ""])
def test_a_name_that_is_no_path_segment_is_refused(client, home, name):
    assert 422 == status(client.folders.create_folder, name=name, **home)
    assert client.folders.list_folders(**home).folders == []
