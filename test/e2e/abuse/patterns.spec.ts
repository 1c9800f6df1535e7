import { Application } from '../harness/application';
import { eventually } from '../harness/eventually';
import { expectProblem } from '../harness/problem';
import { RedisServer } from '../harness/redis-server';
import { fillNamespace } from './namespace';

interface Job {
  job_id: string;
  status: string;
  scanned: number;
  matched: number;
  removed: number;
}

describe('clearing by pattern', () => {
  let redis: RedisServer;
  let app: Application;
  beforeAll(async () => {
    redis = await RedisServer.start();
    app = await Application.start({ REDIS_URL: redis.url, REDIS_COMMAND_TIMEOUT_MS: '10000' });
  }, 60_000);
  afterAll(async () => {
    await app.stop();
    await redis.stop();
  });
  const clear = (pattern: string, more = '') =>
    app.post<Job>(`/api/v1/cache/clear?pattern=${encodeURIComponent(pattern)}${more}`);
  const ended = (id: string): Promise<Job> =>
    eventually(async () => {
      const { body } = await app.get<Job>(`/api/v1/cache/clear/${id}`);
      if (body.status === 'running') throw new Error('still running');
      return body;
    }, 60_000);

  it('B27: everything needs to be confirmed, and is then one command', async () => {
    expectProblem(await clear('*'), 400, 'PATTERN_TOO_BROAD');
    expectProblem(await app.post('/api/v1/cache/clear'), 400, 'PATTERN_TOO_BROAD');
    expectProblem(await clear('*', '&confirm=false'), 400, 'PATTERN_TOO_BROAD');
    await fillNamespace(redis, 2_000, 'b27');
    const client = redis.client();
    const commands = async (name: string): Promise<number> =>
      Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(await client.info('commandstats'))?.[1] ?? 0);
    const before = [await commands('scan'), await commands('keys')];
    const done = await clear('*', '&confirm=true');
    expect([done.status, done.body]).toMatchObject([200, { applied: true, queued: false }]);
    expect([await commands('scan'), await commands('keys')]).toEqual(before);
    client.disconnect();
  });

  it.each([
    ['**', 'two stars'],
    ['a*b*c*d*e*f*g*h*i*', 'nine stars'],
    [`${'x'.repeat(256)}y`, '257 bytes'],
    ['[a-', 'a class'],
    ['[a-z]*', 'a class'],
    [']', 'the end of a class'],
    ['a\\', 'a lone escape'],
    ['', 'nothing'],
  ])('B28: %j is refused (%s)', async pattern => {
    expectProblem(await clear(pattern), 400, 'PATTERN_INVALID');
    expectProblem(await clear(pattern, '&dry_run=true'), 400, 'PATTERN_INVALID');
  });

  it('B29: many stars over a long run of one letter take no time to speak of', async () => {
    await fillNamespace(redis, 200, 'a'.repeat(60));
    const { body } = await clear('*a*a*a*a*a*ab', '&dry_run=true');
    expect(await ended(body.job_id)).toMatchObject({ status: 'done', matched: 0 });
  });

  it('B30: a pattern sees keys of users only, and never leaves the namespace', async () => {
    const client = redis.client();
    await client.set('celery-task-meta-1', 'of another application');
    await app.get('/api/v1/settings');
    const ours = (await client.keys('sutazai:*:t:*')).sort();
    for (const pattern of [
      'sutazai:*',
      'sutazai:1:t:*',
      '../*',
      '*}*',
      '*{*',
      'celery*',
      '?elery-task-meta-1',
      '__redis__*',
    ]) {
      const { body } = await clear(pattern);
      expect(await ended(body.job_id)).toMatchObject({ status: 'done', removed: 0 });
    }
    expect(await client.get('celery-task-meta-1')).toBe('of another application');
    expect((await client.keys('sutazai:*:t:*')).sort()).toEqual(ours);
    client.disconnect();
  });

  it('B31: no pattern that Redis would be slow about reaches it', async () => {
    for (const pattern of ['['.repeat(1_000), 'a*'.repeat(200), '*'.repeat(1_000), '\\'.repeat(999)])
      expect((await clear(pattern)).status).toBe(400);
    const client = redis.client();
    await client.config('SET', 'slowlog-log-slower-than', '0');
    await client.slowlog('RESET');
    const { body } = await clear(`q\\*${'?'.repeat(200)}`, '&dry_run=true');
    await ended(body.job_id);
    const scans = ((await client.slowlog('GET', 128)) as [number, number, number, string[]][])
      .map(entry => entry[3])
      .filter(command => command[0]?.toLowerCase() === 'scan');
    client.disconnect();
    expect(scans.length).toBeGreaterThan(0);
    for (const command of scans) expect(Buffer.byteLength(command.join(' '))).toBeLessThan(400);
  });

  it('B32: a clear is a job that can be followed, joined and stopped, beside other traffic', async () => {
    await fillNamespace(redis, 20_000, 'b32');
    const [one, two] = await Promise.all([clear('b32*'), clear('b32*')]);
    expect([one.status, two.status]).toEqual([202, 202]);
    expect(one.body.status).toBe('running');
    expect(two.body.job_id).toBe(one.body.job_id);
    expect((await app.get('/api/v1/agents')).status).toBe(200);
    const done = await ended(one.body.job_id);
    expect(done).toMatchObject({ status: 'done', matched: 20_000, removed: 20_000 });
    await fillNamespace(redis, 20_000, 'b32');
    const again = await clear('b32*');
    const stopped = await app.delete<Job>(`/api/v1/cache/clear/${again.body.job_id}`);
    expect(['cancelled', 'done']).toContain(stopped.body.status);
    expect(stopped.body.removed).toBeLessThanOrEqual(20_000);
  });

  it('B32: only so many at once', async () => {
    await fillNamespace(redis, 20_000, 'many');
    const answers = await Promise.all(Array.from({ length: 8 }, (_, n) => clear(`many${n}*`)));
    const refused = answers.filter(answer => answer.status === 503);
    for (const answer of refused) expectProblem(answer, 503, 'CLEAR_JOBS_TOO_MANY');
    const begun = answers.filter(answer => answer.status === 202);
    expect(begun.length + refused.length).toBe(8);
    await Promise.all(begun.map(answer => ended(answer.body.job_id)));
  });

  it('B39: the statistics ask Redis for nothing that grows with the keys', async () => {
    await fillNamespace(redis, 20_000, 'b39');
    const client = redis.client();
    await client.config('RESETSTAT');
    for (let n = 0; n < 5; n += 1) expect((await app.get('/api/v1/cache/stats')).status).toBe(200);
    const commands = (await client.info('commandstats')).match(/(?<=cmdstat_)[a-z|]+/g) ?? [];
    client.disconnect();
    expect(commands).toContain('info');
    expect(commands.filter(name => ['keys', 'scan', 'dbsize', 'hgetall', 'smembers'].includes(name))).toEqual(
      [],
    );
  });
});
