import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { dev, login, refused, server, stranger } from './support.js';

const list = (client) => client.secrets().listSecrets({ ...dev, secretPath: '/' });

test('universal auth gives a token that works', async () => {
  const client = stranger();
  assert.equal(client.auth().getAccessToken(), null);
  await login(client);
  assert.equal(typeof client.auth().getAccessToken(), 'string');
  assert.ok(Array.isArray((await list(client)).secrets));
});

test('a renewed token works', async () => {
  const client = await login();
  const renewed = await client.auth().universalAuth.renew();
  const token = renewed.auth().getAccessToken();
  assert.ok(token);
  const another = stranger().auth().accessToken(token);
  assert.ok(Array.isArray((await list(another)).secrets));
});

test('a token that is none cannot be renewed', async () => {
  const client = stranger().auth().accessToken('not.a.token');
  // The SDK wraps this error twice and loses its name on the way, but not what it says.
  await assert.rejects(() => client.auth().universalAuth.renew(), {
    message: refused(403).message,
  });
});

test('a wrong secret and an unknown client are told the same', async () => {
  const { clientId, clientSecret } = server.machineIdentity;
  const answers = [];
  for (const pair of [
    { clientId, clientSecret: '0'.repeat(64) },
    // Another one each time: even an id that nobody has is locked out in the end.
    { clientId: randomUUID(), clientSecret },
  ]) {
    await stranger()
      .auth()
      .universalAuth.login(pair)
      .then(() => assert.fail('let in'), (error) => answers.push(error.message));
  }
  assert.match(answers[0], /\[StatusCode=401\] ./);
  assert.equal(answers[0], answers[1]);
});

test('nothing is shown without a token', async () => {
  await assert.rejects(() => list(stranger()), refused(401));
});
