import { Application, type Answer } from './harness/application';
import { expectProblem } from './harness/problem';

interface Agent {
  id: string;
  name: string;
  description: string | null;
  version: number;
}

let app: Application;
beforeAll(async () => {
  app = await Application.start();
});
afterAll(() => app.stop());

const path = '/api/v1/agents';
let serial = 0;
const create = async (more: object = {}): Promise<Answer<Agent>> =>
  app.post<Agent>(path, { name: `Versioned ${(serial += 1)}`, type: 'test', ...more });
const read = (id: string, headers?: Record<string, string>) => app.get<Agent>(`${path}/${id}`, headers);
const change = (id: string, body: object, version?: string) =>
  app.patch<Agent>(`${path}/${id}`, body, version === undefined ? {} : { 'If-Match': version });
const remove = (id: string, version: string) => app.delete(`${path}/${id}`, { 'If-Match': version });

describe('the version of an agent', () => {
  it('is its ETag, on every answer that has it, from the handler and from the cache', async () => {
    const created = await create();
    const { id, version } = created.body;
    expect(created.headers.get('etag')).toBe(`"${version}"`);
    const [miss, hit] = [await read(id), await read(id)];
    expect(miss.headers.get('cache-status')).toBe('sutazai; fwd=uri-miss; stored');
    expect(hit.headers.get('cache-status')).toMatch(/^sutazai; hit; ttl=\d+/);
    expect(Number(hit.headers.get('age'))).toBeGreaterThanOrEqual(0);
    for (const answer of [miss, hit]) {
      expect(answer.headers.get('etag')).toBe(`"${version}"`);
      expect(answer.body.version).toBe(version);
    }
    const changed = await change(id, { description: 'new' }, `"${version}"`);
    expect(changed.body.version).toBeGreaterThan(version);
    expect(changed.headers.get('etag')).toBe(`"${changed.body.version}"`);
    expect((await read(id)).headers.get('etag')).toBe(`"${changed.body.version}"`);
    const beaten = await app.post<Agent>(`${path}/${id}/heartbeat`);
    expect(beaten.headers.get('etag')).toBe(`"${beaten.body.version}"`);
  });

  it('answers If-None-Match with 304 while it is the same, and with the agent when it is not', async () => {
    const { id, version } = (await create()).body;
    for (let n = 0; n < 2; n += 1) {
      const same = await read(id, { 'If-None-Match': `"${version}"` });
      expect([same.status, same.text, same.headers.get('etag')]).toEqual([304, '', `"${version}"`]);
    }
    await change(id, { description: 'new' }, '*');
    expect((await read(id, { 'If-None-Match': `"${version}"` })).status).toBe(200);
  });

  it('is never one that was seen before, also when an id is removed and made again', async () => {
    const id = 'comes-again';
    const first = (await create({ id })).body;
    const second = (await change(id, { description: 'x' }, `"${first.version}"`)).body;
    expect((await remove(id, `"${second.version}"`)).status).toBe(204);
    const third = (await create({ id })).body;
    expect(third.version).toBeGreaterThan(second.version);
    expectProblem(await change(id, { description: 'y' }, `"${first.version}"`), 412, 'PRECONDITION_FAILED');
  });
});

describe('a change under If-Match', () => {
  it('is made at the version, at one of several, at that of a compressed answer, and at any for *', async () => {
    const { id, version } = (await create()).body;
    let now = version;
    for (const header of [
      () => `"${now}"`,
      () => `"1", "${now}"`,
      () => `"${now}-br"`,
      () => `"${now}-gzip"`,
      () => '*',
    ]) {
      const answer = await change(id, { description: header() }, header());
      expect([answer.status, answer.body.description]).toEqual([200, header()]);
      now = answer.body.version;
    }
  });

  it('is a 412 at another version, with a weak tag, or with what is no version; nothing is changed', async () => {
    const { id, version } = (await create()).body;
    for (const header of ['"999999"', `W/"${version}"`, '"abc"', `"${version}-zstd"`, '"999999999999999"']) {
      const problem = expectProblem(
        await change(id, { description: 'x' }, header),
        412,
        'PRECONDITION_FAILED',
      );
      expect(problem.detail).toContain(`version ${version}`);
    }
    expect((await read(id)).body).toMatchObject({ version, description: null });
  });

  it('is a 428 without it, a 400 when it is no list of tags, a 404 where there is no agent', async () => {
    const { id } = (await create()).body;
    expectProblem(await change(id, { description: 'x' }), 428, 'PRECONDITION_REQUIRED');
    for (const header of ['abc', '"1', '1'])
      expectProblem(await change(id, { description: 'x' }, header), 400, 'IF_MATCH_INVALID');
    for (const nobody of ['nobody', 'NOT-LOWER', '%00'])
      expectProblem(await change(nobody, { description: 'x' }, '"1"'), 404, 'AGENT_NOT_FOUND');
  });
});

describe('a removal under If-Match', () => {
  it('is a 412 at another version, and made at this one or without it', async () => {
    const { id, version } = (await create()).body;
    expectProblem(await remove(id, '"999999"'), 412, 'PRECONDITION_FAILED');
    expectProblem(await remove(id, 'abc'), 400, 'IF_MATCH_INVALID');
    expect((await read(id)).status).toBe(200);
    expect((await remove(id, `"${version}"`)).status).toBe(204);
    expectProblem(await remove(id, `"${version}"`), 404, 'AGENT_NOT_FOUND');
    const other = (await create()).body;
    expect((await app.delete(`${path}/${other.id}`)).status).toBe(204);
  });
});

it('of fifty changes of one version one is made, and what it says is there', async () => {
  const { id, version } = (await create()).body;
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, n) => change(id, { description: `change ${n}` }, `"${version}"`)),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(49).fill(412)]);
  expect((await read(id)).body).toEqual(answers.find(({ status }) => status === 200)?.body);
});
