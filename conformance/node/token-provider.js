// A certified OpenID provider for machines, with a key for each algorithm: one client asks it by
// its own credentials for a token of each, for a resource that is named after the algorithm. Prints
// issuer, tokens and public keys as one line of JSON, and serves its documents until it is killed.
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';

import Provider from 'oidc-provider';

const client = { client_id: 'machine', client_secret: 'secret-of-the-machine' };
const rsa = () => generateKeyPairSync('rsa', { modulusLength: 2048 });
const keys = {
  RS256: rsa(),
  PS256: rsa(),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: generateKeyPairSync('ed25519'),
};
const algorithms = Object.keys(keys);
const jwk = (alg) => ({
  ...keys[alg].privateKey.export({ format: 'jwk' }),
  alg,
  use: 'sig',
  kid: `key-${alg}`,
});

// A resource such as `urn:kms:ES256`.
const algorithmOf = (resource) => resource.slice('urn:kms:'.length);

async function token(issuer, algorithm) {
  const answer = await fetch(`${issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      ...client,
      grant_type: 'client_credentials',
      resource: `urn:kms:${algorithm}`,
      scope: 'deploy',
    }),
  });
  if (!answer.ok) throw new Error(`${algorithm}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()).access_token;
}

const each = async (make) =>
  Object.fromEntries(await Promise.all(algorithms.map(async (alg) => [alg, await make(alg)])));

const server = createServer();
server.listen(0, '127.0.0.1', async () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    jwks: { keys: algorithms.map(jwk) },
    clients: [
      {
        ...client,
        grant_types: ['client_credentials'],
        response_types: [],
        redirect_uris: [],
        token_endpoint_auth_method: 'client_secret_post',
      },
    ],
    cookies: { keys: ['tests of machine logins'] },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, resource) => ({
          scope: 'deploy',
          audience: resource,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 600,
          jwt: { sign: { alg: algorithmOf(resource) } },
        }),
      },
    },
    ttl: { ClientCredentials: 600 },
    enabledJWA: { idTokenSigningAlgValues: algorithms },
    interactions: { url: () => '/nobody' },
  });
  server.on('request', provider.callback());
  const said = {
    issuer,
    tokens: await each((alg) => token(issuer, alg)),
    keys: await each((alg) => keys[alg].publicKey.export({ format: 'pem', type: 'spki' })),
  };
  console.log(JSON.stringify(said));
});
