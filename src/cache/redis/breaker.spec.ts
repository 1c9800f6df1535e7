import { BrokenCircuitError, CircuitState } from 'cockatiel';
import { breakerName, isOutage, RedisBreaker } from './breaker';

const failing = (message: string) => (): Promise<never> => Promise.reject(new Error(message));

/** Runs calls that fail (`-`) or succeed (`+`), and says in which state the breaker is then. */
async function after(
  breaker: RedisBreaker,
  script: string,
  message = 'Connection is closed.',
): Promise<string> {
  for (const step of script) {
    const call = breaker.execute(step === '+' ? () => Promise.resolve() : failing(message));
    await call.catch((error: unknown) => expect(error).toBeInstanceOf(Error));
  }
  return breaker.state;
}

describe('the breaker around Redis', () => {
  beforeEach(
    () =>
      void jest.useFakeTimers({
        now: 1_700_000_000_000,
        doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'],
      }),
  );
  afterEach(() => void jest.useRealTimers());

  test('opens at the fifth failure in a row', async () => {
    const breaker = new RedisBreaker();
    expect(await after(breaker, '----')).toBe('closed');
    expect(await after(breaker, '-')).toBe('open');
    await expect(breaker.execute(() => Promise.resolve())).rejects.toThrow(BrokenCircuitError);
  });

  test('a success begins the row anew', async () => {
    expect(await after(new RedisBreaker(), '----+----+----')).toBe('closed');
  });

  test('opens when half of twenty or more calls in ten seconds have failed', async () => {
    const breaker = new RedisBreaker();
    expect(await after(breaker, '-+'.repeat(9) + '+')).toBe('closed');
    expect(await after(breaker, '-')).toBe('open');
  });

  test('stays closed while fewer than half of them fail, and while there are fewer than twenty', async () => {
    expect(await after(new RedisBreaker(), '+-+'.repeat(50))).toBe('closed');
    expect(await after(new RedisBreaker(), '--+'.repeat(6))).toBe('closed');
  });

  test('forgets failures older than ten seconds', async () => {
    const breaker = new RedisBreaker();
    await after(breaker, '--+--+--+--+--+--+');
    for (let second = 0; second < 11; second += 1) {
      jest.advanceTimersByTime(1_000);
      await after(breaker, '+');
    }
    expect(await after(breaker, '----+----')).toBe('closed');
  });

  test('lets one probe through after half a second, and what it finds decides', async () => {
    const breaker = new RedisBreaker();
    await after(breaker, '-----');
    jest.advanceTimersByTime(499);
    await expect(breaker.execute(() => Promise.resolve())).rejects.toThrow(BrokenCircuitError);
    jest.advanceTimersByTime(1);
    expect(await after(breaker, '-')).toBe('open');
    jest.advanceTimersByTime(500);
    let release!: () => void;
    const probe = breaker.execute(() => new Promise<void>(resolve => (release = resolve)));
    await Promise.resolve();
    expect(breaker.state).toBe('half-open');
    release();
    await probe;
    expect(breaker.state).toBe('closed');
  });

  test('tells what it has counted, when it opened, and when the next probe may go out', async () => {
    const breaker = new RedisBreaker();
    await after(breaker, '++-');
    const closed = { name: 'redis', state: 'closed', openedAtMs: null, nextProbeAtMs: null };
    expect(breaker.report('redis')).toEqual({ ...closed, failures: 1, successes: 2 });
    await after(breaker, '----');
    const open = { state: 'open', openedAtMs: 1_700_000_000_000, nextProbeAtMs: 1_700_000_000_500 };
    expect(breaker.report('redis')).toMatchObject({ ...open, failures: 5 });
    await expect(breaker.execute(() => Promise.resolve())).rejects.toThrow(BrokenCircuitError);
    expect(breaker.report('redis')).toMatchObject({ ...open, failures: 5, successes: 2 });
    jest.advanceTimersByTime(500);
    await after(breaker, '+');
    expect(breaker.report('redis')).toEqual({ ...closed, failures: 5, successes: 3 });
  });

  test('a reset closes it at once and begins to count anew', async () => {
    const breaker = new RedisBreaker();
    const states: string[] = [];
    await after(breaker, '-----');
    breaker.onStateChange(() => states.push(breaker.state));
    breaker.reset();
    expect(breaker.report('redis')).toEqual({
      name: 'redis',
      state: 'closed',
      failures: 0,
      successes: 0,
      openedAtMs: null,
      nextProbeAtMs: null,
    });
    expect(states.at(-1)).toBe('closed');
    expect(await after(breaker, '----')).toBe('closed');
    expect(await after(breaker, '-')).toBe('open');
  });

  test('a reset forgets the share of failures as well', async () => {
    const breaker = new RedisBreaker();
    expect(await after(breaker, '-+'.repeat(9) + '+')).toBe('closed');
    breaker.reset();
    expect(await after(breaker, '-+'.repeat(9))).toBe('closed');
  });

  test('a reset while a probe is under way closes it, and the probe may still open it', async () => {
    const breaker = new RedisBreaker();
    await after(breaker, '-----');
    jest.advanceTimersByTime(500);
    let fail!: (error: Error) => void;
    const probe = breaker.execute(() => new Promise<void>((_, reject) => (fail = reject)));
    await Promise.resolve();
    breaker.reset();
    expect(await after(breaker, '+')).toBe('closed');
    fail(new Error('Connection is closed.'));
    await expect(probe).rejects.toThrow('Connection is closed.');
    expect(breaker.state).toBe('open');
  });

  test.each([
    ['a full server', "OOM command not allowed when used memory > 'maxmemory'."],
    [
      'a full server, from a script',
      "OOM command not allowed when used memory > 'maxmemory'. script: f0e1, on @user_script:7.",
    ],
    [
      'a full server, from a script, as older servers say it',
      "ERR Error running script (call to f_0123): @user_script:7: @user_script: 7: -OOM command not allowed when used memory > 'maxmemory'.",
    ],
    ['a key of another type', 'WRONGTYPE Operation against a key holding the wrong kind of value'],
    ['too few replicas', 'NOREPLICAS Not enough good replicas to write.'],
    ['a slot that is moving', 'TRYAGAIN Multiple keys request during rehashing of slot'],
    [
      'a slot that is moving, after some attempts',
      'Too many Cluster redirections. Last error: ReplyError: TRYAGAIN Multiple keys request during rehashing of slot',
    ],
    ['a slot that stands elsewhere', 'MOVED 3999 127.0.0.1:6381'],
  ])('%s refuses commands without being away', async (_what, message) => {
    expect(isOutage(new Error(message))).toBe(false);
    expect(await after(new RedisBreaker(), '-'.repeat(30), message)).toBe('closed');
  });

  test.each([
    ['a closed connection', new Error('Connection is closed.')],
    ['a timeout', new Error('Command timed out')],
    ['a server that loads its data', new Error('LOADING Redis is loading the dataset in memory')],
    ['a replica', new Error("READONLY You can't write against a read only replica.")],
    ['a word that only begins like one', new Error('OOMPH')],
    ['something thrown that is no error', 'OOM'],
  ])('%s is an outage', (_what, error) => {
    expect(isOutage(error)).toBe(true);
  });

  test.each([
    [CircuitState.Closed, 'closed'],
    [CircuitState.Open, 'open'],
    [CircuitState.HalfOpen, 'half-open'],
    [CircuitState.Isolated, 'open'],
  ])('state %i is called %s', (state, name) => {
    expect(breakerName(state)).toBe(name);
  });
});
