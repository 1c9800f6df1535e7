import { Application } from './harness/application';
import { expectProblem } from './harness/problem';

let app: Application;
beforeAll(async () => {
  app = await Application.start();
});
afterAll(() => app.stop());

/** More pieces than Node's reader of queries looks at of itself. */
const separators = '&'.repeat(1_000);

describe('a query is read to its end', () => {
  it('where the cache makes a key of it, and the handler an answer', async () => {
    for (const name of ['First', 'Second', 'Third']) await app.post('/api/v1/agents', { name, type: 'test' });
    const lengthOf = async (query: string): Promise<unknown> =>
      (await app.get<{ agents: unknown[] }>(`/api/v1/agents?${query}`)).body.agents.length;
    expect(await lengthOf(separators)).toBeGreaterThan(2);
    expect(await lengthOf(`${separators}limit=1`)).toBe(1);
    expect(await lengthOf(`limit=2${separators}`)).toBe(2);
  });

  it('where it makes a trial of a clear', async () => {
    const clear = `/api/v1/cache/clear?pattern=agents:*&${separators}dry_run=true`;
    expect((await app.post(clear)).body).toMatchObject({ dry_run: true });
  });

  it('where it holds what nobody declares, or a name twice', async () => {
    const agent = { name: 'Nobody', type: 'test' };
    expectProblem(await app.post(`/api/v1/agents?${separators}dry_run=true`, agent), 400, 'UNKNOWN_FIELD');
    expectProblem(await app.get('/api/v1/agents/nobody'), 404, 'AGENT_NOT_FOUND');
    expectProblem(await app.get(`/api/v1/agents?limit=3${separators}limit=5`), 400, 'QUERY_DUPLICATE');
  });

  it.each([
    ['UNKNOWN_FIELD', ''],
    ['QUERY_INVALID', '['],
  ])('and of thousands of faults fifty are named: %s', async (code, mark) => {
    const names = Array.from({ length: 2_000 }, (_, n) => `${n}${mark}`).join('&');
    expect(expectProblem(await app.get(`/api/v1/agents?${names}`), 400, code).errors).toHaveLength(50);
  });
});
