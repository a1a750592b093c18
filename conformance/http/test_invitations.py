"""An invitation from the first request to the new member's login, by a real mail server.

The server of this file is its own: it is told of a mail server, which keeps what it is given.
"""

import json
import os
import queue
import re
import socket
import subprocess
import time
from email import message_from_bytes
from email.policy import default
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from aiosmtpd.controller import Controller

PASSWORD = "correct horse battery"


class Mailbox:
    """What a mail server hands its mails to."""

    def __init__(self):
        self.mails = queue.Queue()
        self.refusals = 0

    async def handle_DATA(self, _server, _session, envelope):
        if self.refusals > 0:
            self.refusals -= 1
            return "451 try again later"
        self.mails.put((envelope, message_from_bytes(envelope.content, policy=default)))
        return "250 OK"

    def next(self):
        return self.mails.get(timeout=20)


@pytest.fixture(scope="module")
def mailbox():
    box = Mailbox()
    # It connects to its own port to see whether it is up, so it must be told one.
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        box.port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=box.port)
    controller.start()
    yield box
    controller.stop()


@pytest.fixture(scope="module")
def instance(mailbox, tmp_path_factory):
    """A server that mails, and what it takes to use it."""
    folder = tmp_path_factory.mktemp("mailing")
    credentials = folder / "credentials.json"
    log = (folder / "server.log").open("w+b")
    server = subprocess.Popen(
        [
            os.environ["KMS_CONFORMANCE_BINARY"],
            *("server", "--dev", "--listen", "127.0.0.1:0", "--credentials-file", credentials),
            *("--smtp-url", f"smtp://127.0.0.1:{mailbox.port}"),
            *("--mail-from", "KMS <kms@example.test>"),
        ],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
    )
    try:
        for _ in range(300):
            if credentials.exists() or server.poll() is not None:
                break
            time.sleep(0.1)
        log.seek(0)
        assert credentials.exists(), log.read().decode()
        said = json.loads(credentials.read_text(encoding="utf-8"))
        said["log"] = folder / "server.log"
        yield said
    finally:
        server.terminate()
        assert server.wait(timeout=20) == 0


@pytest.fixture(scope="module")
def api(instance):
    session = requests.Session()
    session.trust_env = False

    def call(method, path, bearer=None, headers=None, **arguments):
        headers = dict(headers or {})
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        # Cookies of one person are not another's.
        session.cookies.clear()
        return session.request(
            method,
            instance["url"] + path,
            headers=headers,
            allow_redirects=False,
            timeout=30,
            **arguments,
        )

    return call


def log_in(api, email, password, organization):
    answer = api("POST", "/api/v3/auth/login", json={"email": email, "password": password})
    assert answer.status_code == 200, answer.text
    answer = api(
        "POST",
        "/api/v3/auth/select-organization",
        json={"organizationId": organization},
        bearer=answer.json()["accessToken"],
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["token"]


@pytest.fixture(scope="module")
def administrator(api, instance):
    user = instance["user"]
    return log_in(api, user["email"], user["password"], instance["organization"]["id"])


def token_of(mail, page):
    """What the link in a mail holds; it must lead to the server that was configured."""
    [link] = re.findall(r"^\s*(http\S+)\s*$", mail.get_content(), re.MULTILINE)
    parts = urlsplit(link)
    assert parts.path == page
    return parts, {name: value for name, [value] in parse_qs(parts.query).items()}


def test_an_invited_person_becomes_a_member(api, instance, administrator, mailbox, unique):
    organization = instance["organization"]["id"]
    address = f"{unique}@example.test"
    answer = api(
        "POST",
        "/api/v1/invite-org/signup",
        json={
            "organizationId": organization,
            "inviteeEmails": [address],
            "organizationRoleSlug": "member",
        },
        bearer=administrator,
        # Attack H11: nothing that a client says decides where a link leads.
        headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"},
    )
    assert answer.status_code == 200, answer.text
    assert "completeInviteLinks" not in answer.json()
    envelope, mail = mailbox.next()
    assert envelope.rcpt_tos == [address]
    assert mail["From"] == "KMS <kms@example.test>"
    assert mail.get_content_type() == "text/plain"
    parts, query = token_of(mail, "/signupinvite")
    assert f"{parts.scheme}://{parts.netloc}" == instance["url"]
    assert query["to"] == address and query["organization_id"] == organization
    assert query["token"] not in instance["log"].read_text()

    members = f"/api/v2/organizations/{organization}/memberships"
    status = {
        member["user"]["username"]: member["status"]
        for member in api("GET", members, bearer=administrator).json()["users"]
    }
    assert status[address] == "invited"

    code = {"email": address, "organizationId": organization, "code": query["token"]}
    answer = api("POST", "/api/v1/invite-org/verify", json=code)
    assert answer.status_code == 200, answer.text
    token = answer.json()["token"]
    assert api("POST", "/api/v1/invite-org/verify", json=code).status_code == 401

    account = {"email": address, "firstName": "Bob", "lastName": "Builder"}
    path = "/api/v3/signup/complete-account/invite"
    weak = api("POST", path, json={**account, "password": "password"}, bearer=token)
    assert weak.status_code == 422
    answer = api("POST", path, json={**account, "password": PASSWORD}, bearer=token)
    assert answer.status_code == 200, answer.text
    assert "jid" in answer.cookies

    newcomer = log_in(api, address, PASSWORD, organization)
    people = api("GET", members, bearer=newcomer).json()["users"]
    [mine] = [member for member in people if member["user"]["username"] == address]
    assert (mine["status"], mine["role"], mine["user"]["firstName"]) == ("accepted", "member", "Bob")


def test_a_lost_password_is_replaced_by_mail_that_is_sent_again(api, instance, mailbox, unique):
    """The mail server is busy at first; the request does not notice."""
    mailbox.refusals = 1
    user = instance["user"]
    # The development user's address is none that mail servers take; a person's is.
    organization = instance["organization"]["id"]
    administrator = log_in(api, user["email"], user["password"], organization)
    address = f"{unique}@example.test"
    body = {"organizationId": organization, "inviteeEmails": [address]}
    began = time.monotonic()
    answer = api("POST", "/api/v1/invite-org/signup", json=body, bearer=administrator)
    assert answer.status_code == 200, answer.text
    assert time.monotonic() - began < 2
    _, mail = mailbox.next()
    assert mailbox.refusals == 0
    _, query = token_of(mail, "/signupinvite")
    code = {"email": address, "organizationId": organization, "code": query["token"]}
    token = api("POST", "/api/v1/invite-org/verify", json=code).json()["token"]
    account = {"email": address, "firstName": "Eve", "password": PASSWORD}
    answer = api(
        "POST", "/api/v3/signup/complete-account/invite", json=account, bearer=token
    )
    assert answer.status_code == 200, answer.text

    known = api("POST", "/api/v1/account-recovery/send-email", json={"email": address})
    unknown = api("POST", "/api/v1/account-recovery/send-email", json={"email": "no@one.test"})
    assert (known.status_code, known.json()) == (unknown.status_code, unknown.json())
    _, mail = mailbox.next()
    _, query = token_of(mail, "/password-reset")
    code = {"email": address, "code": query["token"]}
    answer = api("POST", "/api/v1/account-recovery/verify-email", json=code)
    assert answer.status_code == 200, answer.text
    body = {"newPassword": "a fresh start for everybody"}
    path = "/api/v2/password/password-reset"
    bearer = answer.json()["token"]
    assert api("POST", path, json=body, bearer=bearer).status_code == 200
    assert api("POST", path, json=body, bearer=bearer).status_code == 401
    old = api("POST", "/api/v3/auth/login", json={"email": address, "password": PASSWORD})
    assert old.status_code == 400
    log_in(api, address, "a fresh start for everybody", organization)
