"""AWS for tests: `moto`, told to verify signatures as AWS does.

Prints one line of JSON once it listens: where it is, and a user and a role that can ask it who they
are, the role once the user has assumed it. Runs until it is killed.
"""

import json
import signal

import boto3
from moto import settings
from moto.server import ThreadedMotoServer

ACCOUNT = "123456789012"


def policy(**statement):
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", **statement}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def main():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    iam = boto3.client(
        "iam",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="first",
        aws_secret_access_key="unsigned",
    )
    iam.create_user(UserName="deploy")
    key = iam.create_access_key(UserName="deploy")["AccessKey"]
    user = f"arn:aws:iam::{ACCOUNT}:user/deploy"
    trust = policy(Principal={"AWS": user})
    role = iam.create_role(RoleName="web", AssumeRolePolicyDocument=trust)["Role"]
    iam.put_user_policy(
        UserName="deploy", PolicyName="web", PolicyDocument=policy(Resource=role["Arn"])
    )
    # From here on, a signature has to be right.
    settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
    said = {
        "url": url,
        "accessKeyId": key["AccessKeyId"],
        "secretAccessKey": key["SecretAccessKey"],
        "roleArn": role["Arn"],
    }
    print(json.dumps(said), flush=True)
    signal.pause()


main()
