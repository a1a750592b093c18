import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { dev, login, place, refused } from './support.js';

let client;
let secrets;

before(async () => {
  client = await login();
  secrets = client.secrets();
});

const values = (listed) =>
  Object.fromEntries(listed.secrets.map((secret) => [secret.secretKey, secret.secretValue]));

test('a created secret is described in full', async (t) => {
  const here = await place(t, client);
  const { secret } = await secrets.createSecret('URL', {
    ...here,
    secretValue: 'postgres://db',
    secretComment: 'the database',
    secretReminderNote: 'rotate',
    secretReminderRepeatDays: 30,
    skipMultilineEncoding: true,
  });
  assert.ok(secret.id);
  assert.equal(secret.version, 1);
  assert.equal(secret.type, 'shared');
  const read = await secrets.getSecret({ ...here, secretName: 'URL' });
  assert.equal(read.id, secret.id);
  assert.equal(read.secretKey, 'URL');
  assert.equal(read.secretValue, 'postgres://db');
  assert.equal(read.secretComment, 'the database');
  assert.equal(read.environment, 'dev');
  assert.equal(read.secretPath, here.secretPath);
  assert.equal(read.secretReminderNote, 'rotate');
  assert.equal(read.secretReminderRepeatDays, 30);
  assert.equal(read.skipMultilineEncoding, true);
  assert.equal(read.secretValueHidden, false);
  assert.equal(read.isRotatedSecret, false);
});

test('a list holds what its folder holds', async (t) => {
  const here = await place(t, client);
  assert.deepEqual(await secrets.listSecrets(here), { secrets: [], imports: [] });
  for (const name of ['B', 'A']) await secrets.createSecret(name, { ...here, secretValue: `v-${name}` });
  assert.deepEqual(values(await secrets.listSecrets(here)), { A: 'v-A', B: 'v-B' });
});

test('a list can fill the environment of the process', async (t) => {
  const here = await place(t, client);
  const name = `CONFORMANCE_${process.pid}`;
  t.after(() => delete process.env[name]);
  await secrets.createSecret(name, { ...here, secretValue: 'from the server' });
  assert.equal(process.env[name], undefined);
  await secrets.listSecrets({ ...here, attachToProcessEnv: true });
  assert.equal(process.env[name], 'from the server');
});

test('a recursive list says where each secret is', async (t) => {
  const here = await place(t, client);
  const inner = `${here.secretPath}/inner`;
  await client.folders().create({ ...dev, name: 'inner', path: here.secretPath });
  await secrets.createSecret('KEY', { ...here, secretValue: 'outer' });
  await secrets.createSecret('KEY', { ...dev, secretPath: inner, secretValue: 'inner' });
  const listed = await secrets.listSecrets({ ...here, recursive: true });
  const found = Object.fromEntries(listed.secrets.map((s) => [s.secretPath, s.secretValue]));
  assert.deepEqual(found, { [here.secretPath]: 'outer', [inner]: 'inner' });
});

test('values are withheld on request', async (t) => {
  const here = await place(t, client);
  await secrets.createSecret('KEY', { ...here, secretValue: 'hidden' });
  const read = await secrets.getSecret({ ...here, secretName: 'KEY', viewSecretValue: false });
  const listed = await secrets.listSecrets({ ...here, viewSecretValue: false });
  assert.equal(listed.secrets.length, 1);
  for (const secret of [read, listed.secrets[0]]) {
    assert.equal(secret.secretValueHidden, true);
    assert.notEqual(secret.secretValue, 'hidden');
  }
});

test('an update makes a version and keeps the rest', async (t) => {
  const here = await place(t, client);
  await secrets.createSecret('KEY', { ...here, secretValue: 'one', secretComment: 'kept' });
  const { secret } = await secrets.updateSecret('KEY', { ...here, secretValue: 'two' });
  assert.equal(secret.version, 2);
  const now = await secrets.getSecret({ ...here, secretName: 'KEY' });
  assert.deepEqual([now.version, now.secretValue, now.secretComment], [2, 'two', 'kept']);
  const then = await secrets.getSecret({ ...here, secretName: 'KEY', version: 1 });
  assert.deepEqual([then.version, then.secretValue], [1, 'one']);
});

test('a renamed secret is found by its new name only', async (t) => {
  const here = await place(t, client);
  await secrets.createSecret('OLD', { ...here, secretValue: 'v' });
  await secrets.updateSecret('OLD', { ...here, newSecretName: 'NEW' });
  assert.deepEqual(values(await secrets.listSecrets(here)), { NEW: 'v' });
  await assert.rejects(() => secrets.getSecret({ ...here, secretName: 'OLD' }), refused(404));
});

test('a deleted secret is gone', async (t) => {
  const here = await place(t, client);
  const made = await secrets.createSecret('KEY', { ...here, secretValue: 'v' });
  const gone = await secrets.deleteSecret('KEY', here);
  assert.equal(gone.secret.id, made.secret.id);
  await assert.rejects(() => secrets.getSecret({ ...here, secretName: 'KEY' }), refused(404));
  await assert.rejects(() => secrets.deleteSecret('KEY', here), refused(404));
  assert.deepEqual((await secrets.listSecrets(here)).secrets, []);
});

test('a name that needs escaping in a URL arrives as it is', async (t) => {
  const here = await place(t, client);
  for (const name of ['WITH SPACE', '100%', 'é?#', 'a&b=c']) {
    const { secret } = await secrets.createSecret(name, { ...here, secretValue: 'v' });
    assert.equal(secret.secretKey, name);
    assert.equal((await secrets.getSecret({ ...here, secretName: name })).secretKey, name);
    await secrets.deleteSecret(name, here);
  }
});

test('a value comes back as it went in', async (t) => {
  const here = await place(t, client);
  const odd = ['', 'two\nlines\n', '"quotes" \' and \\ and $HOME', 'žluťoučký 馬 🐎', 'k'.repeat(60_000)];
  for (const [index, secretValue] of odd.entries()) {
    await secrets.createSecret(`V${index}`, { ...here, secretValue });
    const read = await secrets.getSecret({ ...here, secretName: `V${index}` });
    assert.equal(read.secretValue, secretValue);
  }
  assert.deepEqual(Object.values(values(await secrets.listSecrets(here))).sort(), [...odd].sort());
});

test('what cannot be done is refused with its status', async (t) => {
  const here = await place(t, client);
  await secrets.createSecret('KEY', { ...here, secretValue: 'v' });
  const again = () => secrets.createSecret('KEY', { ...here, secretValue: 'w' });
  const unknown = () => secrets.updateSecret('NONE', { ...here, secretValue: 'w' });
  const nowhere = () => secrets.listSecrets({ ...here, environment: 'nowhere' });
  await assert.rejects(again, refused(400));
  await assert.rejects(unknown, refused(404));
  await assert.rejects(nowhere, refused(404));
  assert.deepEqual(values(await secrets.listSecrets(here)), { KEY: 'v' });
});
