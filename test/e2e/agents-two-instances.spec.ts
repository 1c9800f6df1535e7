import { type Application } from './harness/application';
import { eventually } from './harness/eventually';
import { type TwoInstances, twoInstances } from './harness/two-instances';

interface Agent {
  id: string;
  name: string;
  status: string;
  description: string | null;
  version: number;
  token: string;
}

/** The staleness bound Δ: a write is seen everywhere at most so much later. */
const boundMs = 2_000;
const path = '/api/v1/agents';

describe('a write of an agent is seen by the next read on its instance, and by the other within the bound', () => {
  let two: TwoInstances | undefined;
  let a: Application;
  let b: Application;

  beforeAll(async () => {
    two = await twoInstances();
    ({ a, b } = two);
  }, 60_000);
  afterAll(() => two?.stop());

  const one = async (app: Application, id: string): Promise<Agent | undefined> => {
    const { status, body } = await app.get<Agent>(`${path}/${id}`);
    return status === 200 ? body : undefined;
  };
  const listed = async (app: Application, id: string): Promise<Agent | undefined> => {
    const { body } = await app.get<{ agents: Agent[] }>(`${path}?limit=200`);
    return body.agents.find(agent => agent.id === id);
  };
  const views = [one, listed];

  /** Lets both hold both views, writes on one, and checks what each of them shows. */
  async function afterWrite(
    id: string,
    writer: Application,
    write: () => Promise<unknown>,
    check: (seen: Agent | undefined) => void,
  ): Promise<void> {
    const other = writer === a ? b : a;
    for (const app of [a, b]) for (const view of views) for (let n = 0; n < 2; n += 1) await view(app, id);
    await write();
    for (const view of views) check(await view(writer, id));
    for (const view of views) await eventually(async () => check(await view(other, id)), boundMs, 5);
  }

  test('POST, PATCH, a heartbeat that changes the status, DELETE', async () => {
    const id = 'seen-everywhere';
    let token = '';
    await afterWrite(
      id,
      a,
      async () => {
        const answer = await a.post<Agent>(path, { id, name: 'Seen', type: 'test' });
        expect(answer.status).toBe(201);
        token = answer.body.token;
      },
      seen => expect(seen?.status).toBe('unknown'),
    );
    await afterWrite(
      id,
      b,
      async () => {
        const { version } = (await one(b, id))!;
        const answer = await b.patch(`${path}/${id}`, { description: 'x' }, { 'If-Match': `"${version}"` });
        expect(answer.status).toBe(200);
      },
      seen => expect(seen?.description).toBe('x'),
    );
    for (const [writer, status] of [
      [a, 'healthy'],
      [b, 'unhealthy'],
    ] as const)
      await afterWrite(
        id,
        writer,
        async () => {
          const headers = { Authorization: `Bearer ${token}` };
          expect((await writer.post(`${path}/${id}/heartbeat`, { status }, headers)).status).toBe(200);
        },
        seen => expect(seen?.status).toBe(status),
      );
    await afterWrite(
      id,
      a,
      async () => expect((await a.delete(`${path}/${id}`)).status).toBe(204),
      seen => expect(seen).toBeUndefined(),
    );
  });

  test('POST …/token: the next heartbeat with the old one is refused, on either instance', async () => {
    const { body: agent } = await a.post<Agent>(path, { name: 'Rotated', type: 'test' });
    const beat = async (app: Application, token: string): Promise<number> =>
      (await app.post(`${path}/${agent.id}/heartbeat`, undefined, { Authorization: `Bearer ${token}` }))
        .status;
    let { token } = agent;
    for (const [writer, other] of [
      [a, b],
      [b, a],
    ] as const) {
      for (const app of [a, b]) expect(await beat(app, token)).toBe(200);
      const { body } = await writer.post<{ token: string }>(`${path}/${agent.id}/token`);
      // At once, not within the bound: the digest is read from Redis each time.
      expect([await beat(other, token), await beat(writer, token)]).toEqual([401, 401]);
      token = body.token;
      expect([await beat(other, token), await beat(writer, token)]).toEqual([200, 200]);
    }
  });

  test('a heartbeat that changes nothing leaves both serving from their memory', async () => {
    const { body: agent } = await a.post<Agent>(path, { name: 'Steady', type: 'test' });
    const beat = () => a.post(`${path}/${agent.id}/heartbeat`);
    await beat();
    await afterWrite(agent.id, a, beat, seen => expect(seen?.status).toBe('healthy'));
    for (const app of [a, b])
      for (const url of [`${path}/${agent.id}`, `${path}?limit=200`])
        expect((await app.get(url)).headers.get('cache-status')).toMatch(/hit; ttl=\d+; detail=l1$/);
  });
});
