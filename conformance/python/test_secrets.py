import pytest
from infisical_sdk import InfisicalSDKClient
from infisical_sdk.infisical_requests import APIError


def refused(call, **arguments):
    """The error with which the server answered."""
    with pytest.raises(APIError) as answer:
        call(**arguments)
    body = answer.value.response
    assert body["statusCode"] == answer.value.status_code
    assert body["reqId"]
    return answer.value


def names(listed):
    return sorted(secret.secretKey for secret in listed.secrets)


def test_a_created_secret_is_described_in_full(client, server, place):
    made = client.secrets.create_secret_by_name(
        secret_name="URL", secret_value="postgres://db", secret_comment="the database", **place
    )
    assert made.id and made.id == made._id
    assert made.workspace == server.project_id
    assert made.environment == "dev"
    assert made.version == 1
    assert made.type == "shared"
    assert made.secretKey == "URL"
    assert made.secretValue == "postgres://db"
    assert made.secretComment == "the database"
    assert made.createdAt and made.updatedAt


def test_a_secret_is_read_by_name(client, place):
    made = client.secrets.create_secret_by_name(
        secret_name="URL", secret_value="postgres://db", secret_comment="the database", **place
    )
    read = client.secrets.get_secret_by_name(secret_name="URL", **place)
    assert (read.id, read.version) == (made.id, 1)
    assert (read.secretValue, read.secretComment) == ("postgres://db", "the database")
    assert read.secretPath == place["secret_path"]
    assert read.createdAt == made.createdAt


def test_a_list_holds_what_its_folder_holds(client, place):
    assert client.secrets.list_secrets(**place).secrets == []
    for name in ("B", "A", "C"):
        client.secrets.create_secret_by_name(secret_name=name, secret_value=f"v-{name}", **place)
    listed = client.secrets.list_secrets(**place)
    assert {s.secretKey: s.secretValue for s in listed.secrets} == {
        "A": "v-A",
        "B": "v-B",
        "C": "v-C",
    }
    assert {s.secretPath for s in listed.secrets} == {place["secret_path"]}
    assert listed.imports == []


@pytest.mark.parametrize(
    "value",
    [
        "",
        "two\nlines\n",
        'quotes " and \' and \\ and $HOME and `id`',
        "žluťoučký 馬 🐎",
        "k" * 60_000,
        '{"json": [1, 2]}',
    ],
    ids=["empty", "lines", "quotes", "unicode", "long", "json"],
)
def test_a_value_comes_back_as_it_went_in(client, place, value):
    client.secrets.create_secret_by_name(secret_name="VALUE", secret_value=value, **place)
    read = client.secrets.get_secret_by_name(secret_name="VALUE", **place)
    assert read.secretValue == value
    assert [s.secretValue for s in client.secrets.list_secrets(**place).secrets] == [value]


def test_white_space_around_a_value_is_trimmed_but_for_one_newline(client, place):
    for name, sent, kept in (("A", "  padded  ", "padded"), ("B", "  key\n\n", "key\n")):
        client.secrets.create_secret_by_name(secret_name=name, secret_value=sent, **place)
        assert client.secrets.get_secret_by_name(secret_name=name, **place).secretValue == kept


@pytest.mark.parametrize("name", ["lower_case", "dot.ted-name", "2FIRST", "A_B"])
def test_names_keep_their_spelling(client, place, name):
    client.secrets.create_secret_by_name(secret_name=name, secret_value="v", **place)
    assert names(client.secrets.list_secrets(**place)) == [name]
    assert client.secrets.get_secret_by_name(secret_name=name, **place).secretKey == name


def test_names_differ_by_case(client, place):
    client.secrets.create_secret_by_name(secret_name="KEY", secret_value="upper", **place)
    client.secrets.create_secret_by_name(secret_name="key", secret_value="lower", **place)
    assert client.secrets.get_secret_by_name(secret_name="KEY", **place).secretValue == "upper"
    assert client.secrets.get_secret_by_name(secret_name="key", **place).secretValue == "lower"


def test_an_update_makes_a_version_and_keeps_the_rest(client, place):
    made = client.secrets.create_secret_by_name(
        secret_name="KEY", secret_value="one", secret_comment="kept", **place
    )
    changed = client.secrets.update_secret_by_name(
        current_secret_name="KEY", secret_value="two", **place
    )
    assert (changed.id, changed.version, changed.secretValue) == (made.id, 2, "two")
    read = client.secrets.get_secret_by_name(secret_name="KEY", **place)
    assert (read.version, read.secretValue, read.secretComment) == (2, "two", "kept")


def test_a_comment_changes_without_the_value(client, place):
    client.secrets.create_secret_by_name(secret_name="KEY", secret_value="one", **place)
    client.secrets.update_secret_by_name(
        current_secret_name="KEY", secret_comment="why", **place
    )
    read = client.secrets.get_secret_by_name(secret_name="KEY", **place)
    assert (read.version, read.secretValue, read.secretComment) == (2, "one", "why")


def test_an_old_version_can_be_read(client, place):
    client.secrets.create_secret_by_name(secret_name="KEY", secret_value="one", **place)
    for value in ("two", "three"):
        client.secrets.update_secret_by_name(
            current_secret_name="KEY", secret_value=value, **place
        )
    for version, value in ((1, "one"), (2, "two"), (3, "three")):
        read = client.secrets.get_secret_by_name(secret_name="KEY", version=str(version), **place)
        assert (read.version, read.secretValue) == (version, value)
    missing = refused(client.secrets.get_secret_by_name, secret_name="KEY", version="9", **place)
    assert missing.status_code == 404


def test_a_renamed_secret_is_found_by_its_new_name_only(client, place):
    made = client.secrets.create_secret_by_name(secret_name="OLD", secret_value="v", **place)
    renamed = client.secrets.update_secret_by_name(
        current_secret_name="OLD", new_secret_name="NEW", **place
    )
    assert (renamed.id, renamed.secretKey) == (made.id, "NEW")
    assert client.secrets.get_secret_by_name(secret_name="NEW", **place).secretValue == "v"
    assert refused(client.secrets.get_secret_by_name, secret_name="OLD", **place).status_code == 404
    assert names(client.secrets.list_secrets(**place)) == ["NEW"]


def test_a_name_in_use_is_not_given_twice(client, place):
    client.secrets.create_secret_by_name(secret_name="A", secret_value="a", **place)
    client.secrets.create_secret_by_name(secret_name="B", secret_value="b", **place)
    again = refused(
        client.secrets.create_secret_by_name, secret_name="A", secret_value="x", **place
    )
    clash = refused(
        client.secrets.update_secret_by_name, current_secret_name="B", new_secret_name="A", **place
    )
    assert (again.status_code, clash.status_code) == (400, 400)
    listed = client.secrets.list_secrets(**place)
    assert {s.secretKey: s.secretValue for s in listed.secrets} == {"A": "a", "B": "b"}


def test_a_deleted_secret_is_gone(client, place):
    made = client.secrets.create_secret_by_name(secret_name="KEY", secret_value="v", **place)
    gone = client.secrets.delete_secret_by_name(secret_name="KEY", **place)
    assert (gone.id, gone.secretKey) == (made.id, "KEY")
    assert refused(client.secrets.get_secret_by_name, secret_name="KEY", **place).status_code == 404
    assert refused(client.secrets.delete_secret_by_name, secret_name="KEY", **place).status_code == 404
    assert client.secrets.list_secrets(**place).secrets == []


def test_a_name_is_free_again_after_deletion(client, place):
    first = client.secrets.create_secret_by_name(secret_name="KEY", secret_value="old", **place)
    client.secrets.delete_secret_by_name(secret_name="KEY", **place)
    second = client.secrets.create_secret_by_name(secret_name="KEY", secret_value="new", **place)
    assert second.id != first.id
    read = client.secrets.get_secret_by_name(secret_name="KEY", **place)
    assert (read.version, read.secretValue) == (1, "new")


def test_metadata_is_kept_and_replaced_as_a_whole(client, place):
    def pairs():
        read = client.secrets.get_secret_by_name(secret_name="KEY", **place)
        return sorted((entry["key"], entry["value"]) for entry in read.secretMetadata)

    client.secrets.create_secret_by_name(
        secret_name="KEY",
        secret_value="v",
        secret_metadata=[{"key": "owner", "value": "team-a"}, {"key": "tier", "value": "1"}],
        **place,
    )
    assert pairs() == [("owner", "team-a"), ("tier", "1")]
    listed = client.secrets.list_secrets(**place).secrets[0].secretMetadata
    assert sorted(entry["key"] for entry in listed) == ["owner", "tier"]
    client.secrets.update_secret_by_name(
        current_secret_name="KEY", secret_metadata=[{"key": "owner", "value": "team-b"}], **place
    )
    assert pairs() == [("owner", "team-b")]
    client.secrets.update_secret_by_name(current_secret_name="KEY", secret_value="w", **place)
    assert pairs() == [("owner", "team-b")]


def test_a_reminder_and_multiline_encoding_are_kept(client, place):
    client.secrets.create_secret_by_name(
        secret_name="KEY",
        secret_value="v",
        secret_reminder_note="rotate",
        secret_reminder_repeat_days=30,
        skip_multiline_encoding=True,
        **place,
    )
    read = client.secrets.get_secret_by_name(secret_name="KEY", **place)
    assert read.secretReminderNote == "rotate"
    assert read.secretReminderRepeatDays == 30
    assert read.skipMultilineEncoding is True


def test_values_are_withheld_on_request(client, place):
    client.secrets.create_secret_by_name(secret_name="KEY", secret_value="hidden", **place)
    one = client.secrets.get_secret_by_name(secret_name="KEY", view_secret_value=False, **place)
    listed = client.secrets.list_secrets(view_secret_value=False, **place).secrets
    assert len(listed) == 1
    for secret in (one, *listed):
        assert secret.secretKey == "KEY"
        assert secret.secretValueHidden is True
        assert secret.secretValue != "hidden"


def test_a_project_can_be_named_by_its_slug(client, server, place):
    by_slug = {**place, "project_slug": server.project_slug}
    del by_slug["project_id"]
    made = client.secrets.create_secret_by_name(secret_name="KEY", secret_value="v", **by_slug)
    assert made.workspace == server.project_id
    assert client.secrets.get_secret_by_name(secret_name="KEY", **by_slug).id == made.id
    assert names(client.secrets.list_secrets(**by_slug)) == ["KEY"]
    client.secrets.update_secret_by_name(current_secret_name="KEY", secret_value="w", **by_slug)
    assert client.secrets.get_secret_by_name(secret_name="KEY", **place).secretValue == "w"
    client.secrets.delete_secret_by_name(secret_name="KEY", **by_slug)
    assert client.secrets.list_secrets(**place).secrets == []


def test_environments_do_not_see_each_other(client, server, unique):
    root = {"project_id": server.project_id, "secret_path": "/"}
    made = []
    try:
        for environment in ("dev", "staging", "prod"):
            client.secrets.create_secret_by_name(
                secret_name=unique, secret_value=environment, environment_slug=environment, **root
            )
            made.append(environment)
        for environment in made:
            read = client.secrets.get_secret_by_name(
                secret_name=unique, environment_slug=environment, **root
            )
            assert (read.environment, read.secretValue) == (environment, environment)
    finally:
        for environment in made:
            client.secrets.delete_secret_by_name(
                secret_name=unique, environment_slug=environment, **root
            )


def test_a_recursive_list_says_where_each_secret_is(client, place):
    below = {"project_id": place["project_id"], "environment_slug": "dev"}
    top = place["secret_path"]
    client.folders.create_folder(name="inner", path=top, **below)
    client.secrets.create_secret_by_name(secret_name="KEY", secret_value="outer", **place)
    client.secrets.create_secret_by_name(
        secret_name="KEY", secret_value="inner", secret_path=f"{top}/inner", **below
    )
    listed = client.secrets.list_secrets(recursive=True, **place)
    assert {s.secretPath: s.secretValue for s in listed.secrets} == {
        top: "outer",
        f"{top}/inner": "inner",
    }
    flat = client.secrets.list_secrets(recursive=False, **place)
    assert [s.secretValue for s in flat.secrets] == ["outer"]


@pytest.mark.parametrize(
    ("where", "status"),
    [
        ({"environment_slug": "nowhere"}, {404}),
        ({"secret_path": "/nowhere"}, {404}),
        # Whether a project exists is nobody's business who can't see it.
        ({"project_id": "00000000-0000-4000-8000-000000000000"}, {403, 404}),
    ],
    ids=["environment", "folder", "project"],
)
def test_an_unknown_place_is_an_error_for_every_verb(client, place, where, status):
    there = {**place, **where}
    secrets = client.secrets
    answers = [
        refused(secrets.list_secrets, **there),
        refused(secrets.get_secret_by_name, secret_name="K", **there),
        refused(secrets.create_secret_by_name, secret_name="K", secret_value="v", **there),
        refused(secrets.update_secret_by_name, current_secret_name="K", secret_value="v", **there),
        refused(secrets.delete_secret_by_name, secret_name="K", **there),
    ]
    assert [a.status_code for a in answers if a.status_code not in status] == []


def test_an_unknown_name_cannot_be_read_changed_or_deleted(client, place):
    secrets = client.secrets
    answers = [
        refused(secrets.get_secret_by_name, secret_name="NONE", **place),
        refused(secrets.update_secret_by_name, current_secret_name="NONE", secret_value="v", **place),
        refused(secrets.delete_secret_by_name, secret_name="NONE", **place),
    ]
    assert [answer.status_code for answer in answers] == [404, 404, 404]


def test_a_name_with_a_colon_is_refused(client, place):
    answer = refused(
        client.secrets.create_secret_by_name, secret_name="A:B", secret_value="v", **place
    )
    assert answer.status_code == 422
    assert client.secrets.list_secrets(**place).secrets == []


def test_the_cache_of_the_sdk_sees_what_it_wrote_itself(server, place):
    with InfisicalSDKClient(host=server.url) as caching:
        caching.auth.universal_auth.login(server.client_id, server.client_secret)
        secrets = caching.secrets
        secrets.create_secret_by_name(secret_name="KEY", secret_value="one", **place)
        assert secrets.get_secret_by_name(secret_name="KEY", **place).secretValue == "one"
        assert [s.secretValue for s in secrets.list_secrets(**place).secrets] == ["one"]
        secrets.update_secret_by_name(current_secret_name="KEY", secret_value="two", **place)
        assert secrets.get_secret_by_name(secret_name="KEY", **place).secretValue == "two"
        assert [s.secretValue for s in secrets.list_secrets(**place).secrets] == ["two"]
        secrets.delete_secret_by_name(secret_name="KEY", **place)
        assert secrets.list_secrets(**place).secrets == []


def test_metadata_stands_beside_comment_reminder_and_version(client, place):
    client.secrets.create_secret_by_name(
        secret_name="KEY",
        secret_value="one",
        secret_comment="why",
        secret_metadata=[{"key": "owner", "value": "a"}],
        **place,
    )
    client.secrets.update_secret_by_name(
        current_secret_name="KEY",
        secret_metadata=[{"key": "owner", "value": "b"}],
        secret_reminder_note="rotate",
        secret_reminder_repeat_days=7,
        **place,
    )
    read = client.secrets.get_secret_by_name(secret_name="KEY", **place)
    assert (read.version, read.secretValue, read.secretComment) == (2, "one", "why")
    assert (read.secretReminderNote, read.secretReminderRepeatDays) == ("rotate", 7)
    assert [(pair["key"], pair["value"]) for pair in read.secretMetadata] == [("owner", "b")]
    former = client.secrets.get_secret_by_name(secret_name="KEY", version="1", **place)
    assert [(pair["key"], pair["value"]) for pair in former.secretMetadata] == [("owner", "a")]


def test_a_version_is_one_of_the_name_it_had(client, place):
    client.secrets.create_secret_by_name(secret_name="OLD", secret_value="one", **place)
    client.secrets.update_secret_by_name(
        current_secret_name="OLD", new_secret_name="NEW", secret_value="two", **place
    )
    read = client.secrets.get_secret_by_name(secret_name="NEW", version="2", **place)
    assert read.secretValue == "two"
    gone = refused(client.secrets.get_secret_by_name, secret_name="OLD", version="1", **place)
    assert gone.status_code == 404
