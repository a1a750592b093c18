"""A person's login with an authenticator app, whose codes a published package makes."""

import os
import subprocess
import time

import pyotp
import pytest
import requests

LOGIN = "/api/v3/auth/login"
SELECT = "/api/v3/auth/select-organization"


class Person:
    """A person who logs in like a browser: with a cookie jar."""

    def __init__(self, api, server):
        self.api = api
        self.server = server
        self.jar = requests.cookies.RequestsCookieJar()

    def __call__(self, method, path, token=None, **arguments):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = self.api(
            method, path, token=False, headers=headers, cookies=self.jar, **arguments
        )
        # As a browser does: a cookie whose life is over is taken out of the jar.
        requests.cookies.extract_cookies_to_jar(self.jar, answer.request, answer.raw)
        return answer

    def login(self):
        body = {"email": self.server.email, "password": self.server.password}
        answer = self("POST", LOGIN, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()["accessToken"]

    def select(self, token):
        body = {"organizationId": self.server.organization_id, "userAgent": "cli"}
        answer = self("POST", SELECT, token, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def person(api, server):
    return Person(api, server)


def next_code(totp):
    """A code that was not used yet: the server takes those of the next step already."""
    return totp.at(time.time() + 30)


def test_a_session_is_refreshed_by_its_cookie_until_the_logout(person):
    token = person.select(person.login())["token"]
    first = person.jar["jid"]
    answer = person("POST", "/api/v1/auth/token")
    assert answer.status_code == 200, answer.text
    assert answer.json()["organizationId"] == person.server.organization_id
    assert person.jar["jid"] != first
    token = answer.json()["token"]
    assert person("POST", "/api/v1/auth/checkAuth", token).json() == {"message": "Authenticated"}
    assert person("POST", "/api/v1/auth/logout").status_code == 200
    assert "jid" not in person.jar
    assert person("POST", "/api/v1/auth/checkAuth", token).status_code == 401
    assert person("POST", "/api/v1/auth/token").status_code == 404


@pytest.fixture
def authenticator(person):
    """An authenticator app that the person's logins ask for, with recovery codes; gone afterwards."""
    token = person.login()
    made = person("POST", "/api/v1/user/me/totp/register", token).json()
    totp = pyotp.parse_uri(made["otpUrl"])
    assert (totp.digits, totp.interval, totp.name) == (6, 30, person.server.email)
    confirmed = person("POST", "/api/v1/user/me/totp/verify", token, json={"totp": totp.now()})
    assert confirmed.status_code == 200, confirmed.text
    codes = confirmed.json()["recoveryCodes"]
    assert len(codes) == 10
    wanted = {"isMfaEnabled": True, "selectedMfaMethod": "totp"}
    assert person("PATCH", "/api/v2/users/me/mfa", token, json=wanted).status_code == 200
    yield totp
    owed = person.select(person.login())
    recovery = {"recoveryCode": codes[0]}
    path = "/api/v2/auth/mfa/verify/recovery-code"
    token = person("POST", path, owed["token"], json=recovery).json()["token"]
    assert person("DELETE", "/api/v1/user/me/totp", token).status_code == 200
    assert person.select(person.login())["isMfaEnabled"] is False


def test_codes_of_a_published_authenticator_are_taken(person, authenticator):
    owed = person.select(person.login())
    assert (owed["isMfaEnabled"], owed["mfaMethod"]) == (True, "totp")
    code = next_code(authenticator)
    verify = {"mfaToken": "abcdef", "mfaMethod": "totp"}
    wrong = person("POST", "/api/v2/auth/mfa/verify", owed["token"], json=verify)
    assert wrong.status_code == 400
    assert wrong.json()["context"] == {"code": "mfa_invalid"}
    verify["mfaToken"] = code
    right = person("POST", "/api/v2/auth/mfa/verify", owed["token"], json=verify)
    assert right.status_code == 200, right.text
    token = right.json()["token"]
    assert person.select(token)["isMfaEnabled"] is False
    again = person("POST", "/api/v2/auth/mfa/verify", owed["token"], json=verify)
    assert again.status_code == 400, "once"


def test_the_command_line_asks_for_the_code_and_takes_it_once(server, authenticator, tmp_path):
    def login(**variables):
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "KMS_DOMAIN": server.url,
            "KMS_EMAIL": server.email,
            "KMS_PASSWORD": server.password,
            "KMS_ORGANIZATION_ID": server.organization_id,
            **variables,
        }
        command = [os.environ["KMS_CONFORMANCE_BINARY"], "login", "--plain", "--silent"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)

    without = login()
    assert (without.returncode, without.stdout) == (4, "")
    assert "second factor" in without.stderr and "--mfa-code=CODE" in without.stderr
    code = next_code(authenticator)
    right = login(KMS_MFA_CODE=code)
    assert right.returncode == 0, right.stderr
    assert right.stdout.count(".") == 2 and right.stderr == ""
    again = login(KMS_MFA_CODE=code)
    assert again.returncode != 0 and again.stdout == "" and code not in again.stderr
