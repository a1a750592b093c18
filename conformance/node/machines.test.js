import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { dev, login, refused, server, stranger, unique } from './support.js';

const aws = JSON.parse(readFileSync(process.env.KMS_CONFORMANCE_AWS, 'utf8'));

/** Makes a machine identity that may read the project, as an administrator would with curl. */
async function machineWith(method, settings) {
  const token = (await login()).auth().getAccessToken();
  const ask = async (path, body) => {
    const answer = await fetch(server.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  const { identity } = await ask('/api/v1/identities', { name: unique() });
  const project = `/api/v1/projects/${dev.projectId}`;
  await ask(`${project}/memberships/identities/${identity.id}`, { role: 'viewer' });
  await ask(`/api/v1/auth/${method}/identities/${identity.id}`, settings);
  return identity.id;
}

/** The environment of a machine with a key of AWS. */
function equip(secretAccessKey = aws.secretAccessKey) {
  process.env.AWS_REGION = 'eu-central-1';
  process.env.AWS_ACCESS_KEY_ID = aws.accessKeyId;
  process.env.AWS_SECRET_ACCESS_KEY = secretAccessKey;
}

const user = (name) => ({ allowedPrincipalArns: `arn:aws:iam::123456789012:user/${name}` });

test('a user of AWS logs in', async () => {
  equip();
  const identityId = await machineWith('aws-auth', user('deploy'));
  const machine = await stranger().auth().awsIamAuth.login({ identityId });
  const read = await machine.secrets().listSecrets({ ...dev, secretPath: '/' });
  assert.ok(Array.isArray(read.secrets));
});

test('another user of AWS does not', async () => {
  equip();
  const identityId = await machineWith('aws-auth', user('other'));
  const entry = stranger().auth().awsIamAuth.login({ identityId });
  await assert.rejects(entry, (error) => {
    assert.match(error.message, refused(401).message);
    assert.match(error.message, /AWS principal ARN not allowed/);
    return true;
  });
});

test('a wrong key of AWS does not', async () => {
  equip('x'.repeat(40));
  const identityId = await machineWith('aws-auth', { allowedAccountIds: '123456789012' });
  const entry = stranger().auth().awsIamAuth.login({ identityId });
  await assert.rejects(entry, { message: refused(401).message });
});
