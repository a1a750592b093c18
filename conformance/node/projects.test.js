import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { login, place, refused, remove, unique } from './support.js';

let client;

before(async () => {
  client = await login();
});

async function project(t, options = {}) {
  const projectName = unique();
  const made = await client.projects().create({ projectName, type: 'secret-manager', ...options });
  t.after(() => remove(client, `/api/v1/projects/${made.id}`));
  assert.equal(made.name, projectName);
  return made;
}

test('a project is made as it was described', async (t) => {
  const slug = unique();
  const made = await project(t, { slug, projectDescription: 'by the SDK' });
  assert.ok(made.id);
  assert.equal(made.slug, slug);
  assert.equal(made.type, 'secret-manager');
  assert.equal(made.description, 'by the SDK');
  assert.ok(!Number.isNaN(Date.parse(made.createdAt)));
});

test('its maker can use the environments of a new project at once', async (t) => {
  const { id: projectId } = await project(t);
  const secrets = client.secrets();
  for (const environment of ['dev', 'staging', 'prod']) {
    await secrets.createSecret('KEY', { projectId, environment, secretValue: environment });
    const read = await secrets.getSecret({ projectId, environment, secretName: 'KEY' });
    assert.equal(read.secretValue, environment);
  }
});

test('a slug in use is not given twice', async (t) => {
  const slug = unique();
  await project(t, { slug });
  const again = () =>
    client.projects().create({ projectName: 'again', type: 'secret-manager', slug });
  await assert.rejects(again, refused(400));
});

test('an environment is made and can be used', async (t) => {
  const { id: projectId } = await project(t);
  const made = await client.environments().create({ name: 'Quality', projectId, slug: 'qa' });
  assert.ok(made.id);
  assert.deepEqual([made.name, made.slug, made.projectId], ['Quality', 'qa', projectId]);
  assert.equal(made.position, 4);
  const there = { projectId, environment: 'qa' };
  await client.secrets().createSecret('KEY', { ...there, secretValue: 'v' });
  const listed = await client.secrets().listSecrets(there);
  assert.deepEqual(listed.secrets.map((s) => [s.secretKey, s.environment]), [['KEY', 'qa']]);
});

test('an environment may be put in a position', async (t) => {
  const { id: projectId } = await project(t);
  const made = await client
    .environments()
    .create({ name: 'First', projectId, slug: 'first', position: 1 });
  assert.equal(made.position, 1);
});

test('an environment that cannot be is refused', async (t) => {
  const { id: projectId } = await project(t);
  const environments = client.environments();
  const taken = () => environments.create({ name: 'Dev', projectId, slug: 'dev' });
  const shape = () => environments.create({ name: 'Bad', projectId, slug: 'Not A Slug' });
  await assert.rejects(taken, refused(400));
  // A list of issues is no text, so this SDK shows its own words for it.
  await assert.rejects(shape, { message: 'Request failed with status 422' });
});

test('folders are made and listed', async (t) => {
  const { projectId, environment, secretPath: path } = await place(t, client);
  const where = { projectId, environment, path };
  const folders = client.folders();
  assert.deepEqual(await folders.listFolders(where), []);
  const made = await folders.create({ ...where, name: 'app', description: "the app's" });
  assert.ok(made.id && made.envId);
  assert.deepEqual([made.name, made.description, made.isReserved], ['app', "the app's", false]);
  await folders.create({ ...where, name: 'deep', path: `${path}/app` });
  const flat = await folders.listFolders(where);
  assert.deepEqual(flat.map((f) => [f.id, f.name]), [[made.id, 'app']]);
  const all = await folders.listFolders({ ...where, recursive: true });
  assert.deepEqual(all.map((f) => f.name).sort(), ['app', 'deep']);
});

test('folders whose secrets changed since are listed by themselves', async (t) => {
  const { projectId, environment, secretPath: path } = await place(t, client);
  const where = { projectId, environment, path };
  const folders = client.folders();
  for (const name of ['quiet', 'busy']) await folders.create({ ...where, name });
  await client.secrets().createSecret('KEY', {
    projectId,
    environment,
    secretPath: `${path}/busy`,
    secretValue: 'v',
  });
  const since = async (hours) => {
    const lastSecretModified = new Date(Date.now() + hours * 3_600_000).toISOString();
    return (await folders.listFolders({ ...where, lastSecretModified })).map((f) => f.name);
  };
  assert.deepEqual(await since(-1), ['busy']);
  assert.deepEqual(await since(1), []);
});

test('a folder in a project that is not there is refused', async () => {
  const projectId = '00000000-0000-4000-8000-000000000000';
  const there = () => client.folders().create({ projectId, environment: 'dev', name: 'x', path: '/' });
  await assert.rejects(there, { message: /\[StatusCode=40[34]\]/ });
});
