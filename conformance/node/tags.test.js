import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { ask, login, place, remove, server, unique } from './support.js';

let client;
let secrets;

before(async () => {
  client = await login();
  secrets = client.secrets();
});

/** A tag of the test's own, which the SDK can use but not make. */
async function tag(t) {
  const path = `/api/v1/projects/${server.project.id}/tags`;
  const body = { slug: unique(), color: '' };
  const made = (await ask('POST', path, client.auth().getAccessToken(), body)).tag;
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

test('one of several tags is enough to be listed', async (t) => {
  const here = await place(t, client);
  const [one, other] = [await tag(t), await tag(t)];
  const wanted = { ONE: [one], OTHER: [other], BOTH: [one, other], NONE: [] };
  for (const [name, tags] of Object.entries(wanted)) {
    const tagIds = tags.map((each) => each.id);
    await secrets.createSecret(name, { ...here, secretValue: name, tagIds });
  }
  const found = async (...tagSlugs) =>
    (await secrets.listSecrets({ ...here, tagSlugs })).secrets.map((s) => s.secretValue).sort();
  assert.deepEqual(await found(one.slug), ['BOTH', 'ONE']);
  assert.deepEqual(await found(one.slug, other.slug), ['BOTH', 'ONE', 'OTHER']);
  assert.deepEqual(await found('no-such-tag'), []);
});
