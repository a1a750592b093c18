"""References and imports, as the SDK reads them: expanded and included unless told otherwise."""

import pytest


@pytest.fixture
def below(client, server, place):
    """Makes a folder in the test's own, and says where it is."""

    def make(name):
        client.folders.create_folder(
            name=name,
            environment_slug="dev",
            project_id=server.project_id,
            path=place["secret_path"],
        )
        return {**place, "secret_path": f"{place['secret_path']}/{name}"}

    return make


@pytest.fixture
def imported(ask, server):
    """Makes one folder import another."""

    def make(into, source):
        body = {
            "workspaceId": server.project_id,
            "environment": into["environment_slug"],
            "path": into["secret_path"],
            "import": {"environment": source["environment_slug"], "path": source["secret_path"]},
        }
        return ask("POST", "/api/v1/secret-imports", body)["secretImport"]

    return make


def put(client, where, **values):
    for name, value in values.items():
        client.secrets.create_secret_by_name(secret_name=name, secret_value=value, **where)


def value(client, name, where, **more):
    return client.secrets.get_secret_by_name(secret_name=name, **where, **more).secretValue


def values(client, where, **more):
    listed = client.secrets.list_secrets(**where, **more)
    return {secret.secretKey: secret.secretValue for secret in listed.secrets}


def dotted(where, name):
    path = where["secret_path"].strip("/").replace("/", ".")
    return "${%s.%s.%s}" % (where["environment_slug"], path, name)


def test_references_are_expanded_unless_told_otherwise(client, place):
    put(client, place, HOST="db", PORT="5432", URL="pg://${HOST}:${PORT}/${HOST}")
    assert value(client, "URL", place) == "pg://db:5432/db"
    assert values(client, place)["URL"] == "pg://db:5432/db"
    raw = "pg://${HOST}:${PORT}/${HOST}"
    assert value(client, "URL", place, expand_secret_references=False) == raw
    assert values(client, place, expand_secret_references=False)["URL"] == raw


def test_references_reach_other_folders_and_what_those_refer_to(client, place, below):
    inner = below("inner")
    put(client, inner, A="${B}-a", B="b")
    put(client, place, TOP=f"<{dotted(inner, 'A')}>")
    assert value(client, "TOP", place) == "<b-a>"
    assert values(client, place) == {"TOP": "<b-a>"}


def test_a_reference_reaches_another_environment(client, server, place, unique):
    prod = {"project_id": server.project_id, "environment_slug": "prod", "secret_path": "/"}
    put(client, prod, **{unique: "from prod"})
    try:
        put(client, place, KEY="${prod.%s}" % unique)
        assert value(client, "KEY", place) == "from prod"
    finally:
        client.secrets.delete_secret_by_name(secret_name=unique, **prod)


def test_a_change_of_what_is_referred_to_is_read_at_once(client, place):
    put(client, place, HOST="one", URL="${HOST}")
    assert value(client, "URL", place) == "one"
    client.secrets.update_secret_by_name(
        current_secret_name="HOST", secret_value="two", **place
    )
    assert value(client, "URL", place) == "two"
    assert values(client, place)["URL"] == "two"


def test_references_follow_a_new_name(client, place, below):
    inner = below("inner")
    put(client, place, HOST="db", URL="pg://${HOST}")
    put(client, inner, FAR=dotted(place, "HOST"))
    client.secrets.update_secret_by_name(
        current_secret_name="HOST", new_secret_name="SERVER", **place
    )
    raw = values(client, place, expand_secret_references=False)
    assert raw == {"SERVER": "db", "URL": "pg://${SERVER}"}
    assert value(client, "URL", place) == "pg://db"
    assert value(client, "FAR", inner) == "db"
    assert value(client, "FAR", inner, expand_secret_references=False) == dotted(place, "SERVER")


def test_a_former_version_refers_to_what_is_there_now(client, place):
    put(client, place, HOST="db", URL="pg://${HOST}")
    client.secrets.update_secret_by_name(
        current_secret_name="URL", secret_value="none", **place
    )
    assert value(client, "URL", place, version="1") == "pg://db"
    former = value(client, "URL", place, version="1", expand_secret_references=False)
    assert former == "pg://${HOST}"
    assert value(client, "URL", place) == "none"


def test_a_list_brings_its_imports_in_their_order(client, place, below, imported):
    first, second = below("first"), below("second")
    put(client, place, OWN="own", BOTH="own")
    put(client, first, BOTH="first", A="first")
    put(client, second, BOTH="second", A="second", B="${A}!")
    for source in (first, second):
        imported(place, source)
    listed = client.secrets.list_secrets(**place)
    assert {s.secretKey: s.secretValue for s in listed.secrets} == {"OWN": "own", "BOTH": "own"}
    brought = [
        (each.secretPath, {s["secretKey"]: s["secretValue"] for s in each.secrets})
        for each in listed.imports
    ]
    assert brought == [
        (first["secret_path"], {"A": "first", "BOTH": "first"}),
        (second["secret_path"], {"A": "second", "BOTH": "second", "B": "second!"}),
    ]
    assert {each.environment for each in listed.imports} == {"dev"}
    assert client.secrets.list_secrets(include_imports=False, **place).imports == []


def test_a_secret_is_read_through_an_import(client, place, below, imported):
    source = below("source")
    put(client, source, KEY="imported")
    made = imported(place, source)
    read = client.secrets.get_secret_by_name(secret_name="KEY", **place)
    assert (read.secretValue, read.secretPath) == ("imported", source["secret_path"])
    refused = pytest.raises(Exception, match="404")
    with refused:
        client.secrets.get_secret_by_name(secret_name="KEY", include_imports=False, **place)
    # Its own secret comes first, and the import again once that is gone.
    put(client, place, KEY="own")
    assert value(client, "KEY", place) == "own"
    client.secrets.delete_secret_by_name(secret_name="KEY", **place)
    assert value(client, "KEY", place) == "imported"
    assert made["importPath"] == source["secret_path"]


def test_the_last_import_that_has_it_is_read(client, place, below, imported):
    first, last = below("first"), below("last")
    put(client, first, KEY="first", ONLY="first")
    put(client, last, KEY="last")
    for source in (first, last):
        imported(place, source)
    assert value(client, "KEY", place) == "last"
    assert value(client, "ONLY", place) == "first"


def test_values_of_imports_are_withheld_on_request(client, place, below, imported):
    source = below("source")
    put(client, source, KEY="hidden")
    imported(place, source)
    (brought,) = client.secrets.list_secrets(view_secret_value=False, **place).imports
    (secret,) = brought.secrets
    assert secret["secretKey"] == "KEY"
    assert secret["secretValueHidden"] is True
    assert secret["secretValue"] != "hidden"
