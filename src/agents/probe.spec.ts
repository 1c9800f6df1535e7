import type { lookup, LookupAddress } from 'node:dns';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTcp, type AddressInfo, type Socket } from 'node:net';
import { AddressRefusedError, healthUrl, probe, publicLookup } from './probe';

let answer: (request: IncomingMessage, response: ServerResponse) => void;
let server: Server;
let port: number;
const asked: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    answer(request, response);
  });
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => new Promise(done => server.close(done)));
beforeEach(() => {
  asked.length = 0;
  answer = (_request, response) => response.end('ok');
});

const local = { allowPrivate: true };

/** A resolver that gives the next of `answers` each time it is asked. */
function resolving(...answers: LookupAddress[][]): { resolve: typeof lookup; hosts: string[] } {
  const hosts: string[] = [];
  const resolve = ((
    host: string,
    _options: object,
    callback: (error: null, addresses: LookupAddress[]) => void,
  ) => {
    hosts.push(host);
    callback(null, answers[Math.min(hosts.length, answers.length) - 1] ?? []);
  }) as unknown as typeof lookup;
  return { resolve, hosts };
}
const v4 = (address: string): LookupAddress => ({ address, family: 4 });

describe('a probe', () => {
  it.each([
    [200, 'healthy'],
    [204, 'healthy'],
    [404, 'unhealthy'],
    [500, 'unhealthy'],
    [503, 'unhealthy'],
  ])('answered with %d finds the agent %s', async (status, result) => {
    answer = (_request, response) => response.writeHead(status).end();
    expect(await probe(`http://127.0.0.1:${port}`, local)).toBe(result);
  });

  it.each([
    ['http://a', 'http://a/health'],
    ['http://a/', 'http://a/health'],
    ['http://a:1/agents/x//', 'http://a:1/agents/x/health'],
    ['https://a/x?y=z#w', 'https://a/x/health'],
  ])('of %s asks %s', (url, target) => expect(healthUrl(url).href).toBe(target));

  it('does not follow a redirect: it is an answer, and not a good one', async () => {
    answer = (_request, response) => response.writeHead(302, { Location: '/elsewhere' }).end();
    expect(await probe(`http://127.0.0.1:${port}/base`, local)).toBe('unhealthy');
    expect(asked).toEqual(['/base/health']);
  });

  it('reads no body: one without an end is left where it is', async () => {
    const closed = new Promise<number>(done => {
      answer = (_request, response) => {
        let sent = 0;
        const pour = (): void => {
          while (response.write('x'.repeat(65_536))) sent += 65_536;
        };
        response.on('drain', pour).once('close', () => done(sent));
        response.writeHead(200);
        pour();
      };
    });
    expect(await probe(`http://127.0.0.1:${port}`, local)).toBe('healthy');
    expect(await closed).toBeLessThan(64 * 1_024 * 1_024);
  });

  it('gives up a head that is too long, or never comes, and a connection that is refused', async () => {
    answer = (_request, response) => response.writeHead(200, { 'X-Long': 'x'.repeat(9_000) }).end();
    await expect(probe(`http://127.0.0.1:${port}`, local)).rejects.toThrow(/Header overflow/);
    answer = () => undefined;
    const startedAt = performance.now();
    await expect(probe(`http://127.0.0.1:${port}`, { ...local, timeoutMs: 100 })).rejects.toThrow(/abort/i);
    expect(performance.now() - startedAt).toBeLessThan(1_500);
    server.closeAllConnections();
    await expect(probe('http://127.0.0.1:1', local)).rejects.toThrow(/ECONNREFUSED/);
  });

  it('ends at its limit although bytes keep coming, one by one', async () => {
    const sockets: Socket[] = [];
    const slow = createTcp(socket => {
      sockets.push(socket);
      const drip = setInterval(() => socket.write('X'), 10);
      socket.on('error', () => undefined).once('close', () => clearInterval(drip));
      socket.write('HTTP/1.1 200 OK\r\nX-Slow: ');
    });
    await new Promise<void>(done => slow.listen(0, '127.0.0.1', done));
    const url = `http://127.0.0.1:${(slow.address() as AddressInfo).port}`;
    await expect(probe(url, { ...local, timeoutMs: 150 })).rejects.toThrow(/abort/i);
    for (const socket of sockets) socket.destroy();
    await new Promise(done => slow.close(done));
  });

  it('has an end and leaves no connection when it is answered with another protocol (101)', async () => {
    const closed: Promise<void>[] = [];
    const switching = createTcp(socket => {
      closed.push(new Promise(done => socket.once('close', () => done())));
      socket.on('error', () => undefined);
      socket.once('data', () =>
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n'),
      );
    });
    await new Promise<void>(done => switching.listen(0, '127.0.0.1', done));
    const url = `http://127.0.0.1:${(switching.address() as AddressInfo).port}`;
    expect(await probe(url, local)).toBe('unhealthy');
    expect(closed).toHaveLength(1);
    await Promise.all(closed);
    await new Promise(done => switching.close(done));
  });

  it('is given up when its signal says so', async () => {
    const end = new AbortController();
    answer = () => end.abort();
    await expect(probe(`http://127.0.0.1:${port}`, { ...local, signal: end.signal })).rejects.toThrow(
      /abort/i,
    );
    server.closeAllConnections();
  });
});

describe('a probe of an address that is not public', () => {
  it.each([
    () => `http://127.0.0.1:${port}`,
    () => `http://localhost:${port}`,
    () => `http://2130706433:${port}`, // 127.0.0.1 as a number
    () => `http://0x7f.1:${port}`,
    () => `http://[::ffff:127.0.0.1]:${port}`,
    () => `http://[::1]:${port}`,
    () => 'http://169.254.169.254/latest',
    () => 'http://[fe80::1]/',
  ])('is refused before anything is sent (%#)', async url => {
    await expect(probe(url())).rejects.toThrow(AddressRefusedError);
    expect(asked).toEqual([]);
  });

  it('is refused by what the name means when it is connected to: rebinding gains nothing', async () => {
    const names = resolving([v4('127.0.0.1')]);
    await expect(probe(`http://rebound.example:${port}`, { resolve: names.resolve })).rejects.toThrow(
      AddressRefusedError,
    );
    expect(names.hosts).toEqual(['rebound.example']);
    expect(asked).toEqual([]);
  });

  it('connects to none but the public ones among the addresses of a name', () => {
    const names = resolving([v4('127.0.0.1'), v4('1.1.1.1'), v4('10.0.0.1'), v4('8.8.8.8')]);
    const given: unknown[] = [];
    const lookup = publicLookup(names.resolve);
    lookup('some.example', { all: true }, (error, addresses) => given.push(error, addresses));
    lookup('some.example', {}, (error, address, family) => given.push(error, address, family));
    expect(given).toEqual([null, [v4('1.1.1.1'), v4('8.8.8.8')], null, '1.1.1.1', 4]);
  });

  it('is not there when the name is not', async () => {
    const resolve = ((_host: string, _options: object, callback: (error: Error) => void) =>
      callback(new Error('ENOTFOUND'))) as unknown as typeof lookup;
    await expect(probe('http://nobody.example', { resolve })).rejects.toThrow('ENOTFOUND');
  });

  it('is let through where the configuration says so', async () => {
    const names = resolving([v4('127.0.0.1')]);
    expect(await probe(`http://inside.example:${port}`, { ...local, resolve: names.resolve })).toBe(
      'healthy',
    );
  });
});
