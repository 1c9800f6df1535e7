import { AsyncLocalStorage } from 'node:async_hooks';
import { UnkeyedInputError, watchInputs, type CoveredInputs } from './unkeyed-inputs';

const covered: CoveredInputs = {
  where: 'CatsController.list',
  query: new Set(['limit']),
  headers: new Set(['accept-language']),
  principal: 'none',
  tenantProperties: new Set(['tenant']),
};

class Message {
  get query(): Record<string, string> {
    return { limit: '5' };
  }
  get protocol(): string {
    return 'http';
  }
}

interface Request extends Message {
  headers: Record<string, string>;
  cookies?: Record<string, string>;
  user?: Record<string, string>;
  url: string;
  ip: string;
  params: Record<string, string>;
}

const made = (): Request =>
  Object.assign(new Message(), {
    headers: { 'accept-language': 'de', 'user-agent': 'x' },
    cookies: { theme: 'dark' },
    user: { id: 'bob', tenant: 'acme' },
    url: '/cats?limit=5',
    ip: '127.0.0.1',
    params: { id: '1' },
  });

type Read = (request: Request) => unknown;

async function refusalOf(read: Read, rules: Partial<CoveredInputs> = {}): Promise<unknown> {
  const request = made();
  try {
    await watchInputs(request, { ...covered, ...rules }).run(async () => read(request));
    return undefined;
  } catch (error) {
    if (error instanceof UnkeyedInputError) return error.inputs.join();
    throw error;
  }
}

describe('a cached handler', () => {
  it.each<[string, Read]>([
    ['declared query', r => r.query['limit']],
    ['the names of its query', r => Object.keys(r.query)],
    ['declared headers, however spelled', r => r.headers['Accept-Language']],
    ['path parameters', r => r.params['id']],
    [
      'what the language asks of any object',
      r => ['constructor' in r.query, JSON.stringify(r.query), 'then' in r.query],
    ],
  ])('may read %s', async (_title, read) => {
    expect(await refusalOf(read)).toBeUndefined();
  });

  it.each<[string, Read]>([
    ['query page', r => r.query['page']],
    ['query page', r => 'page' in r.query],
    ['header user-agent', r => r.headers['user-agent']],
    ['header cookie', r => r.headers['cookie']],
    ['all of header', r => ({ ...r.headers })],
    ['cookie theme', r => r.cookies?.['theme']],
    ['user id', r => r.user?.['id']],
    ['protocol', r => r.protocol],
    ['url', r => r.url],
    ['ip', r => r.ip],
  ])('is told that %s is not in its key', async (input, read) => {
    expect(await refusalOf(read)).toBe(input);
  });

  it('is told of a user and of cookies that are not even there', async () => {
    const request = made();
    delete request.user;
    delete request.cookies;
    const reading = (read: Read): Promise<unknown> =>
      watchInputs(request, covered).run(async () => read(request));
    await expect(reading(r => r.user?.['id'])).rejects.toThrow(
      'CatsController.list is cached and reads user,',
    );
    await expect(reading(r => r.cookies?.['theme'])).rejects.toThrow('reads cookie,');
  });

  it.each<[string | undefined, 'tenant' | 'user', Read]>([
    [undefined, 'user', r => r.user?.['id']],
    [undefined, 'user', r => ({ ...r.user })],
    [undefined, 'tenant', r => r.user?.['tenant']],
    ['user id', 'tenant', r => r.user?.['id']],
    ['all of user', 'tenant', r => ({ ...r.user })],
    ['cookie theme', 'user', r => r.cookies?.['theme']],
  ])('gets %s for what its principal does not cover (%s)', async (input, principal, read) => {
    expect(await refusalOf(read, { principal })).toBe(input);
  });

  it('cannot hide what it has read', async () => {
    const caught: Read = r => {
      try {
        return r.ip;
      } catch {
        return 'unknown';
      }
    };
    expect(await refusalOf(caught)).toBe('ip');
  });

  it('is told after an await as well, and leaves the request as it was', async () => {
    const request = made();
    const before = Object.getOwnPropertyDescriptors(request);
    const run = watchInputs(request, covered).run(async () => {
      await new Promise(resolve => setImmediate(resolve));
      return request.headers['user-agent'];
    });
    await expect(run).rejects.toThrow('CatsController.list is cached and reads header user-agent');
    expect(Object.getOwnPropertyDescriptors(request)).toEqual(before);
    expect(request.query).toEqual({ limit: '5' });
  });

  it('is not blamed for what others read meanwhile', async () => {
    const request = made();
    let release!: () => void;
    const held = new Promise<void>(resolve => (release = resolve));
    const run = watchInputs(request, covered).run(async () => held);
    expect(request.headers['user-agent']).toBe('x');
    expect(request.ip).toBe('127.0.0.1');
    release();
    await expect(run).resolves.toBeUndefined();
  });

  it('is not blamed for what another watched handler reads at the same time', async () => {
    const request = made();
    let release!: () => void;
    const held = new Promise<void>(resolve => (release = resolve));
    const run = watchInputs(request, covered).run(async () => held);
    await watchInputs(made(), covered).run(async () => request.ip);
    release();
    await expect(run).resolves.toBeUndefined();
  });

  it('leaves no async context behind that the promises of all that comes after it would pay for', async () => {
    const entered = jest.spyOn(AsyncLocalStorage.prototype, 'run');
    for (let each = 0; each < 10; each += 1) await watchInputs(made(), covered).run(async () => undefined);
    expect(entered).toHaveBeenCalledTimes(10);
    expect(new Set(entered.mock.contexts).size).toBe(1);
    entered.mockRestore();
  });

  it('may set what its request carries along', async () => {
    const request = made();
    await watchInputs(request, covered).run(async () => {
      request.user = { id: 'eve' };
    });
    expect(request.user).toEqual({ id: 'eve' });
  });
});
