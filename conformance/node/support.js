// `@infisical/sdk` from npm, as a program would use it.
//
// Not here: dynamic secrets and leases, keys (`kms()`), and invitations of members. Imports and tags the
// SDK can use but not make; those are made over raw HTTP.

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { InfisicalSDK } from '@infisical/sdk';

/** What `kms server --dev` wrote about itself. */
export const server = JSON.parse(readFileSync(process.env.KMS_CONFORMANCE_CREDENTIALS, 'utf8'));

/** Coordinates of the development project. */
export const dev = { projectId: server.project.id, environment: 'dev' };

/** A name that no other test uses, fit for secrets, folders and slugs. */
export const unique = () => `n${randomBytes(6).toString('hex')}`;

/** A client that nobody is logged in with. */
export const stranger = () => new InfisicalSDK({ siteUrl: server.url });

/** A client that the machine identity is logged in with. */
export async function login(client = stranger()) {
  const { clientId, clientSecret } = server.machineIdentity;
  await client.auth().universalAuth.login({ clientId, clientSecret });
  return client;
}

/** A folder of the test's own, which goes away with everything in it. */
export async function place(t, client) {
  const name = unique();
  await client.folders().create({ ...dev, name, path: '/' });
  t.after(() => remove(client, `/api/v2/folders/${name}`, { ...dev, path: '/', forceDelete: true }));
  return { ...dev, secretPath: `/${name}` };
}

/** Does what the SDK has no function for. */
export async function ask(method, path, token, body) {
  const answer = await fetch(server.url + path, {
    method,
    headers: {
      ...(token && { authorization: `Bearer ${token}` }),
      'content-type': 'application/json',
    },
    body: JSON.stringify(body ?? {}),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

/** Deletes what the SDK can make but not delete. */
export const remove = (client, path, body) =>
  ask('DELETE', path, client.auth().getAccessToken(), body);

/** A client that acts as the person. */
export async function person() {
  const login = await ask('POST', '/api/v3/auth/login', null, server.user);
  const organizationId = server.organization.id;
  const chosen = await ask('POST', '/api/v3/auth/select-organization', login.accessToken, {
    organizationId,
  });
  return stranger().auth().accessToken(chosen.token);
}

/** Matches the error of a request that was answered with this status. */
export const refused = (status) => ({
  name: 'InfisicalSDKRequestError',
  message: new RegExp(`\\[StatusCode=${status}\\]`),
});
