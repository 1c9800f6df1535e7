import { join } from 'node:path';
import { Application } from './harness/application';
import { eventually } from './harness/eventually';
import { expectProblem } from './harness/problem';

const agents = '/api/v1/agents';
const agent = `${agents}/security-scanner`;
const anyVersion = { 'If-Match': '*' };
/** Checks of health are made every five seconds at most. */
const nextCheckMs = 15_000;

describe('the embedded database when its thread is lost', () => {
  it('is away as a server would be, and comes back with what was written', async () => {
    const app = await Application.start({
      DATABASE_URL: undefined,
      NODE_OPTIONS: `--require ${join(__dirname, 'harness', 'database-thread-gone.cjs')}`,
    });
    expect((await app.patch(agent, { description: 'before' }, anyVersion)).status).toBe(200);
    await app.get(agent);

    app.signal('SIGUSR2');
    // A signal takes its time, and a change before it would be made. Of an agent that nobody has asked for nothing is cached.
    let asked = 0;
    await eventually(async () => expect((await app.get(`${agent}-${(asked += 1)}`)).status).toBe(503));
    const refused = await app.patch(agent, { description: 'half' }, anyVersion);
    expectProblem(refused, 503, 'DATABASE_UNAVAILABLE');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await app.get<{ description: string }>(agent)).body.description).toBe('before');
    await eventually(async () => expect((await app.get('/health/ready')).status).toBe(503), nextCheckMs);

    app.signal('SIGUSR2');
    await eventually(async () => {
      expect((await app.patch(agent, { description: 'after' }, anyVersion)).status).toBe(200);
    }, nextCheckMs);
    await eventually(async () => expect((await app.get('/health/ready')).status).toBe(200), nextCheckMs);
    expect((await app.get<{ description: string }>(agent)).body.description).toBe('after');
    for (const said of ['it is opened again', 'cannot be opened: '])
      expect(app.output.split(said)).toHaveLength(2);
    expect(await app.stop()).toEqual({ code: 0, signal: null });
  });
});
