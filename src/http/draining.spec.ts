import { createServer, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { eventually } from '../../test/e2e/harness/eventually';
import { drainOnClose } from './draining';

describe('a server that is told to close', () => {
  let server: Server;
  let answer: (response: ServerResponse) => void;

  beforeEach(async () => {
    answer = response => response.end('ok');
    server = createServer((_request, response) => answer(response));
    drainOnClose(server, 200);
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => server.closeAllConnections());
  const get = (): Promise<Response> => fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const close = (): Promise<void> =>
    new Promise((resolve, reject) => server.close(error => (error ? reject(error) : resolve())));

  test('keeps connections until then', async () => {
    const response = await get();
    expect(response.headers.get('connection')).toBe('keep-alive');
    await response.text();
    await close();
  });

  test('is not kept open by clients who ask again and again', async () => {
    let refused = 0;
    const client = async (): Promise<void> => {
      for (;;) {
        try {
          await (await get()).text();
        } catch {
          refused += 1;
          return; // nobody listens any more
        }
      }
    };
    const clients = Array.from({ length: 4 }, client);
    await (await get()).text();
    await close();
    await Promise.all(clients);
    expect(refused).toBe(4);
  });

  test('answers what is under way, as the last answer of its connection', async () => {
    let release!: () => void;
    const asked = new Promise<void>(resolve => {
      answer = response => {
        release = () => response.end('late');
        resolve();
      };
    });
    const response = get();
    await asked;
    const closed = close();
    release();
    expect((await response).headers.get('connection')).toBe('close');
    expect(await (await response).text()).toBe('late');
    await closed;
  });

  test('gives up what takes too long', async () => {
    const asked = new Promise<void>(resolve => {
      answer = () => resolve();
    });
    const response = get().catch(() => 'given up');
    await asked;
    await close();
    expect(await response).toBe('given up');
  });

  test('has forgotten what waited behind another answer on a connection that has ended', async () => {
    const responses: ServerResponse[] = [];
    answer = response => responses.push(response);
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(3));
    await eventually(() => expect(responses).toHaveLength(3));
    const told = responses.map(response => jest.spyOn(response, 'setHeader'));
    socket.destroy();
    await eventually(() => expect(responses[0]!.req.socket.destroyed).toBe(true));
    await new Promise(setImmediate); // `close` comes after
    await close();
    for (const setHeader of told) expect(setHeader).not.toHaveBeenCalled();
  });

  test('says so when it is closed twice', async () => {
    await close();
    await expect(close()).rejects.toThrow(/not running/i);
  });
});
