import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { login, place, remove, server, unique } from './support.js';

let client;
let secrets;

before(async () => {
  client = await login();
  secrets = client.secrets();
});

/** A tag of the test's own, which the SDK can use but not make. */
async function tag(t) {
  const path = `/api/v1/projects/${server.project.id}/tags`;
  const answer = await fetch(server.url + path, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${client.auth().getAccessToken()}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ slug: unique(), color: '' }),
  });
  assert.equal(answer.status, 200);
  const made = (await answer.json()).tag;
  t.after(() => remove(client, `${path}/${made.id}`));
  return made;
}

test('a secret is made with tags and listed by them', async (t) => {
  const here = await place(t, client);
  const made = await tag(t);
  await secrets.createSecret('TAGGED', { ...here, secretValue: 'v', tagIds: [made.id] });
  await secrets.createSecret('PLAIN', { ...here, secretValue: 'v' });
  const listed = await secrets.listSecrets({ ...here, tagSlugs: [made.slug] });
  assert.deepEqual(listed.secrets.map((secret) => secret.secretKey), ['TAGGED']);
  assert.deepEqual(listed.secrets[0].tags.map((each) => [each.id, each.slug]), [
    [made.id, made.slug],
  ]);
});

test('an update replaces tags and keeps them when nothing is said', async (t) => {
  const here = await place(t, client);
  const made = await tag(t);
  await secrets.createSecret('KEY', { ...here, secretValue: 'v', tagIds: [made.id] });
  const slugs = ({ secret }) => secret.tags.map((each) => each.slug);
  assert.deepEqual(slugs(await secrets.updateSecret('KEY', { ...here, secretValue: 'w' })), [made.slug]);
  const emptied = await secrets.updateSecret('KEY', { ...here, secretValue: 'x', tagIds: [] });
  assert.deepEqual(slugs(emptied), []);
});
