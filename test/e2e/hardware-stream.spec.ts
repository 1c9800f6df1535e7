import { Application } from './harness/application';
import { countsOf, metricOf } from './harness/counts';
import { EventStream } from './harness/event-stream';
import { eventually } from './harness/eventually';
import { expectProblem, parseAnswer } from './harness/problem';

const path = '/api/v1/hardware/metrics/stream';
interface Metrics {
  timestamp: string;
  cpu: { percent: number; window_seconds: number };
  memory: { total_bytes: number };
}

describe('the stream of metrics', () => {
  let app: Application;
  const open = async (query = '?interval=1'): Promise<EventStream> =>
    EventStream.open(app.url + path + query);
  const metric = async (name: string): Promise<number> =>
    metricOf((await app.get('/metrics')).text, `hardware_stream_${name}`);
  const left = (): Promise<void> => eventually(async () => expect(await metric('clients')).toBe(0));
  beforeAll(async () => {
    // Shorter than the streams of these tests: what has begun must not be cut.
    app = await Application.start({ HARDWARE_STREAM_MAX_CLIENTS: '3', HTTP_HANDLER_TIMEOUT_MS: '1500' });
  });
  afterEach(left);
  afterAll(() => app.stop());

  it('sends readings of this machine each interval, with ids that grow, and outlives the limit of handlers', async () => {
    const stream = await open();
    expect(stream.status).toBe(200);
    expect(stream.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    expect(stream.headers['cache-status']).toBeUndefined();
    const events = await eventually(() => {
      expect(stream.events.length).toBeGreaterThanOrEqual(4);
      return stream.events;
    });
    expect(stream.text).toMatch(/^retry: 3000\n\n/);
    const readings = events.map(({ data }) => data as Metrics);
    for (const [at, { id, event }] of events.entries()) {
      expect(event).toBe('metrics');
      expect(id).toBe(String(Date.parse(readings[at]!.timestamp)));
    }
    const times = readings.map(({ timestamp }) => Date.parse(timestamp));
    expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
    const { cpu, memory } = readings.at(-1)!;
    expect(memory.total_bytes).toBeGreaterThan(1_000_000);
    expect(cpu.percent).toBeGreaterThanOrEqual(0);
    // Of the time since the event before, and not of the five seconds that the cached routes look back.
    expect(cpu.window_seconds).toBeLessThan(4);
    stream.leave();
  });

  it('reads the machine once for all clients of a second', async () => {
    const [readings, events] = [await metric('readings_total'), await metric('events_total')];
    const streams = await Promise.all([open(), open(), open()]);
    await eventually(() => {
      for (const stream of streams) expect(stream.events.length).toBeGreaterThanOrEqual(3);
    });
    for (const stream of streams) stream.leave();
    await left();
    const [made, sent] = [
      (await metric('readings_total')) - readings,
      (await metric('events_total')) - events,
    ];
    expect(sent).toBeGreaterThanOrEqual(9);
    expect(made).toBeLessThanOrEqual(sent / 2);
    const ids = streams.map(stream => new Set(stream.events.map(({ id }) => id)));
    expect([...ids[0]!].filter(id => ids[1]!.has(id) && ids[2]!.has(id)).length).toBeGreaterThanOrEqual(2);
  });

  it('refuses the client for whom there is no place, and takes it when one has left', async () => {
    const streams = await Promise.all([open(), open(), open()]);
    const refused = await app.get(path);
    expect(expectProblem(refused, 503, 'STREAMS_TOO_MANY').detail).toContain('3 places');
    expect(refused.headers.get('retry-after')).toBe('30');
    streams[0].leave();
    const next = await eventually(async () => {
      const stream = await open();
      if (stream.status !== 200) throw new Error('no place yet');
      return stream;
    });
    for (const stream of [...streams, next]) stream.leave();
  });

  it('answers HEAD with the head alone, which takes no place', async () => {
    const raw = await app.raw(`HEAD ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    const { status, headers, text } = parseAnswer(raw);
    expect([status, headers.get('content-type'), text]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
      '',
    ]);
    expect(await metric('clients')).toBe(0);
  });

  it.each([
    ['interval=0', 'VALIDATION_FAILED', 'interval', /from 1 to 60/],
    ['interval=61', 'VALIDATION_FAILED', 'interval', /from 1 to 60/],
    ['interval=1.5', 'VALIDATION_FAILED', 'interval', /from 1 to 60/],
    ['interval=1e1', 'VALIDATION_FAILED', 'interval', /from 1 to 60/],
    ['interval=', 'VALIDATION_FAILED', 'interval', /from 1 to 60/],
    ['interval=1&interval=2', 'QUERY_DUPLICATE', 'interval', /once/],
    ['interval[]=1', 'QUERY_INVALID', 'interval[]', /plain name/],
    ['every=1', 'UNKNOWN_FIELD', 'every', /not a field/],
  ])(
    'refuses %s, naming %s of %s, and asks neither cache nor database',
    async (query, code, field, limit) => {
      const before = await countsOf(app);
      const problem = expectProblem(await app.get(`${path}?${query}`), 400, code);
      expect(problem.errors![0]).toMatchObject({ path: field, message: expect.stringMatching(limit) });
      expect(await countsOf(app)).toEqual(before);
    },
  );

  it('answers other methods with 405', async () => {
    expectProblem(await app.post(path, {}), 405, 'METHOD_NOT_ALLOWED');
  });

  it('is ended, and not cut, when the application stops', async () => {
    const other = await Application.start();
    const stream = await EventStream.open(`${other.url}${path}?interval=60`);
    await eventually(() => expect(stream.events).toHaveLength(1));
    expect(await other.stop()).toEqual({ code: 0, signal: null });
    expect(await stream.ended).toBe('complete');
  });

  it('lets nobody in when it has no places', async () => {
    const other = await Application.start({ HARDWARE_STREAM_MAX_CLIENTS: '0' });
    expectProblem(await other.get(path), 503, 'STREAMS_TOO_MANY');
    await other.stop();
  });
});
