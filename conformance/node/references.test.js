import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { ask, dev, login, person, place, refused, unique } from './support.js';

let client;
let secrets;

before(async () => {
  client = await login();
  secrets = client.secrets();
});

const values = (listed) =>
  Object.fromEntries(listed.map((secret) => [secret.secretKey, secret.secretValue]));

const put = async (here, named) => {
  for (const [name, secretValue] of Object.entries(named)) {
    await secrets.createSecret(name, { ...here, secretValue });
  }
};

/** A folder in a folder of the test's own. */
async function below(here, name) {
  await client.folders().create({ ...dev, name, path: here.secretPath });
  return { ...dev, secretPath: `${here.secretPath}/${name}` };
}

/** Makes one folder import another. */
const imports = (into, source) =>
  ask('POST', '/api/v1/secret-imports', client.auth().getAccessToken(), {
    workspaceId: dev.projectId,
    environment: into.environment,
    path: into.secretPath,
    import: { environment: source.environment, path: source.secretPath },
  });

const dotted = ({ environment, secretPath }, name) =>
  `\${${environment}.${secretPath.slice(1).replaceAll('/', '.')}.${name}}`;

test('references are expanded unless told otherwise', async (t) => {
  const here = await place(t, client);
  await put(here, { HOST: 'db', PORT: '5432', URL: 'pg://${HOST}:${PORT}/${HOST}' });
  const read = async (more) =>
    (await secrets.getSecret({ ...here, secretName: 'URL', ...more })).secretValue;
  const listed = async (more) => values((await secrets.listSecrets({ ...here, ...more })).secrets).URL;
  for (const url of [read, listed]) {
    assert.equal(await url({}), 'pg://db:5432/db');
    assert.equal(await url({ expandSecretReferences: false }), 'pg://${HOST}:${PORT}/${HOST}');
  }
  await secrets.updateSecret('HOST', { ...here, secretValue: 'other' });
  assert.equal(await read({}), 'pg://other:5432/other');
});

test('references reach other folders and follow a new name', async (t) => {
  const here = await place(t, client);
  const inner = await below(here, 'inner');
  await put(inner, { A: '${B}-a', B: 'b' });
  await put(here, { TOP: `<${dotted(inner, 'A')}>` });
  const top = async (more) =>
    (await secrets.getSecret({ ...here, secretName: 'TOP', ...more })).secretValue;
  assert.equal(await top({}), '<b-a>');
  await secrets.updateSecret('A', { ...inner, newSecretName: 'Z' });
  assert.equal(await top({}), '<b-a>');
  assert.equal(await top({ expandSecretReferences: false }), `<${dotted(inner, 'Z')}>`);
});

test('imports are left out unless asked for, and own secrets win', async (t) => {
  const here = await place(t, client);
  const [first, second] = [await below(here, 'first'), await below(here, 'second')];
  await put(here, { OWN: 'own', BOTH: 'own' });
  await put(first, { BOTH: 'first', A: 'first' });
  await put(second, { A: 'second', B: '${A}!' });
  for (const source of [first, second]) await imports(here, source);

  assert.deepEqual((await secrets.listSecrets(here)).imports, []);
  const listed = await secrets.listSecrets({ ...here, includeImports: true });
  assert.deepEqual(values(listed.secrets), { OWN: 'own', BOTH: 'own' });
  const brought = listed.imports.map((each) => [each.secretPath, values(each.secrets)]);
  assert.deepEqual(brought, [
    [first.secretPath, { A: 'first', BOTH: 'first' }],
    [second.secretPath, { A: 'second', B: 'second!' }],
  ]);
  // Of two imports this SDK takes the first.
  const merged = await secrets.listSecretsWithImports(here);
  assert.deepEqual(values(merged), { OWN: 'own', BOTH: 'own', A: 'first', B: 'second!' });
  assert.equal(merged.find((s) => s.secretKey === 'B').secretPath, second.secretPath);
});

test('what is imported can fill the environment of the process', async (t) => {
  const here = await place(t, client);
  const source = await below(here, 'source');
  const [own, from] = [`${unique().toUpperCase()}_OWN`, `${unique().toUpperCase()}_FROM`];
  t.after(() => [own, from].forEach((name) => delete process.env[name]));
  await put(here, { [own]: 'own' });
  await put(source, { [own]: 'imported', [from]: 'imported' });
  await imports(here, source);
  await secrets.listSecrets({ ...here, includeImports: true, attachToProcessEnv: true });
  assert.deepEqual([process.env[own], process.env[from]], ['own', 'imported']);
});

test('a person has overrides of their own, beside what they override', async (t) => {
  const here = await place(t, client);
  const own = (await person()).secrets();
  await put(here, { KEY: 'shared', URL: '<${KEY}>' });
  const lonely = () => own.createSecret('NONE', { ...here, secretValue: 'x', type: 'personal' });
  await assert.rejects(lonely, refused(400));
  const machine = () => secrets.createSecret('KEY', { ...here, secretValue: 'x', type: 'personal' });
  await assert.rejects(machine, refused(400));

  const made = await own.createSecret('KEY', { ...here, secretValue: 'mine', type: 'personal' });
  assert.deepEqual([made.secret.type, made.secret.version], ['personal', 1]);
  const rows = async (as) =>
    (await as.listSecrets(here)).secrets
      .filter((s) => s.secretKey === 'KEY')
      .map((s) => [s.type, s.secretValue])
      .sort();
  assert.deepEqual(await rows(own), [['personal', 'mine'], ['shared', 'shared']]);
  assert.deepEqual(await rows(secrets), [['shared', 'shared']]);

  const get = async (as, type) =>
    (await as.getSecret({ ...here, secretName: 'KEY', type })).secretValue;
  assert.equal(await get(own, 'personal'), 'mine');
  assert.equal(await get(own, 'shared'), 'shared');
  assert.equal(await get(own), 'shared');
  await assert.rejects(() => get(secrets, 'personal'), refused(404));

  await own.updateSecret('KEY', { ...here, secretValue: 'newer', type: 'personal' });
  assert.equal(await get(own, 'personal'), 'newer');
  assert.equal(await get(secrets), 'shared');
  await own.deleteSecret('KEY', { ...here, type: 'personal' });
  assert.deepEqual(await rows(own), [['shared', 'shared']]);
  // An override ends with what it overrides.
  await own.createSecret('KEY', { ...here, secretValue: 'again', type: 'personal' });
  await secrets.deleteSecret('KEY', here);
  await assert.rejects(() => get(own, 'personal'), refused(404));
});

test('each former version is read by its number', async (t) => {
  const here = await place(t, client);
  await put(here, { KEY: 'one' });
  await secrets.updateSecret('KEY', { ...here, secretValue: 'two', secretComment: 'why' });
  await secrets.updateSecret('KEY', { ...here, secretReminderNote: 'rotate' });
  const read = async (version) => {
    const one = await secrets.getSecret({ ...here, secretName: 'KEY', version });
    return [one.version, one.secretValue, one.secretComment];
  };
  assert.deepEqual(await read(1), [1, 'one', '']);
  assert.deepEqual(await read(2), [2, 'two', 'why']);
  assert.deepEqual(await read(3), [3, 'two', 'why']);
  assert.deepEqual(await read(), [3, 'two', 'why']);
  await assert.rejects(() => read(4), refused(404));
});

test('the metadata that an update names in its old form changes nothing', async (t) => {
  const here = await place(t, client);
  await put(here, { KEY: 'one' });
  const token = client.auth().getAccessToken();
  const { environment, projectId: workspaceId } = dev;
  await ask('PATCH', '/api/v3/secrets/raw/KEY', token, {
    workspaceId,
    environment,
    secretPath: here.secretPath,
    secretMetadata: [{ key: 'owner', value: 'a' }],
  });
  await secrets.updateSecret('KEY', { ...here, secretValue: 'two', metadata: { owner: 'b' } });
  const read = await secrets.getSecret({ ...here, secretName: 'KEY' });
  assert.deepEqual([read.version, read.secretValue], [3, 'two']);
  assert.deepEqual(read.secretMetadata.map(({ key, value }) => [key, value]), [['owner', 'a']]);
});
