// The vectors that our client's SRP is held to (`crates/kms-client/src/login/srp.json`) are what
// `jsrp` from npm answers, which older compatible servers verify with.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { test } from 'node:test';
import jsrp from 'jsrp';

const file = new URL('../../crates/kms-client/src/login/srp.json', import.meta.url);
const vectors = JSON.parse(readFileSync(file, 'utf8'));

/** Both halves of a login with fixed secrets. */
function login({ email, password, a, b, salt }) {
  const client = new jsrp.client();
  client.debugInit({ username: email, password, a: Buffer.from(a, 'hex') }, () => {});
  client.setSalt(salt);
  const verifier = client.srp.v({
    I: Buffer.from(email),
    P: Buffer.from(password),
    salt: Buffer.from(salt, 'hex'),
  });
  const server = new jsrp.server();
  server.init({ salt, verifier: verifier.toString('hex'), b }, () => {});
  client.setServerPublicKey(server.getPublicKey());
  server.setClientPublicKey(client.getPublicKey());
  return {
    A: client.getPublicKey(),
    B: server.getPublicKey(),
    K: client.getSharedKey(),
    M1: client.getProof(),
    accepted: (proof) => server.checkClientProof(proof),
  };
}

for (const vector of vectors) {
  test(`jsrp agrees: ${vector.case}`, () => {
    const { accepted, ...answer } = login(vector);
    const { A, B, K, M1 } = vector;
    assert.deepEqual(answer, { A, B, K, M1 });
    assert.ok(accepted(M1));
    assert.ok(!accepted(M1.replace(/^../, '00')));
  });
}

/** A server of the old scheme: it knows salt and verifier, and never the password. */
function oldServer({ email, password, salt }) {
  const reader = new jsrp.client();
  reader.debugInit({ username: email, password, a: Buffer.from('01', 'hex') }, () => {});
  const verifier = reader.srp
    .v({ I: Buffer.from(email), P: Buffer.from(password), salt: Buffer.from(salt, 'hex') })
    .toString('hex');
  let half;
  const refuse = (message, error = 'BadRequest') => [400, { statusCode: 400, message, error }];
  const routes = {
    '/api/v3/auth/login': () => refuse('Legacy encryption scheme', 'LegacyEncryptionScheme'),
    '/api/v3/auth/login1': (body) => {
      half = new jsrp.server();
      half.init({ salt, verifier, b: randomBytes(32).toString('hex') }, () => {});
      half.setClientPublicKey(body.clientPublicKey);
      return [200, { serverPublicKey: half.getPublicKey(), salt }];
    },
    '/api/v3/auth/login2': (body) => {
      assert.equal(body.password, undefined);
      const right = half.checkClientProof(body.clientProof);
      half = undefined;
      return right ? [200, { mfaEnabled: false, token: 'login-token' }] : refuse('wrong');
    },
    '/api/v3/auth/select-organization': () => [200, { token: 'a.b.c', isMfaEnabled: false }],
    '/api/v2/users/me': () => [200, { user: person }],
  };
  return createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const route = routes[request.url];
    const [status, answer] = route
      ? route(text && JSON.parse(text))
      : [404, { statusCode: 404, message: 'none', error: 'NotFound' }];
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer));
  });
}

const at = '2026-01-02T03:04:05.678Z';
const id = '0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d';
const person = { id, username: 'a', email: 'a', firstName: null, lastName: null, createdAt: at, updatedAt: at };

const account = { email: 'alice@example.com', password: 'grüße 日本', salt: 'a1'.repeat(32) };

for (const [password, status] of [[account.password, 0], ['another', 3]]) {
  test(`the command line logs in to a server of the old scheme: ${status}`, async (t) => {
    const server = oldServer(account).listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const run = spawn(process.env.KMS_CONFORMANCE_BINARY, ['login', '--plain', '--silent'], {
      env: {
        KMS_DOMAIN: `http://127.0.0.1:${server.address().port}`,
        KMS_EMAIL: account.email,
        KMS_PASSWORD: password,
        KMS_ORGANIZATION_ID: id,
      },
    });
    let printed = '';
    run.stdout.on('data', (chunk) => (printed += chunk));
    const [code] = await once(run, 'close');
    assert.equal(code, status);
    assert.equal(printed, status === 0 ? 'a.b.c\n' : '');
  });
}
