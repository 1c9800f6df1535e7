import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { eventually } from '../../test/e2e/harness/eventually';
import { sendNdjson } from './send-ndjson';

let server: Server;
afterEach(
  () =>
    new Promise<void>(resolve => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
);

/** A server that sends these objects; the response to a request for them, nothing of it taken yet, and when sending has ended. */
async function asked(
  objects: AsyncIterable<object>,
): Promise<{ response: IncomingMessage; ended: Promise<void> }> {
  let end!: (sent: Promise<void>) => void;
  const ended = new Promise<void>(resolve => (end = resolve));
  server = createServer((_request, response) => end(sendNdjson(response, objects)));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const response = await new Promise<IncomingMessage>(resolve => get({ port, host: '127.0.0.1' }, resolve));
  return { response, ended };
}

describe('lines of JSON', () => {
  it('are sent one for each object', async () => {
    const { response, ended } = await asked(listOf([{ a: 1 }, { b: 'two\nlines' }]));
    let text = '';
    for await (const chunk of response) text += String(chunk);
    await ended;
    expect(text).toBe('{"a":1}\n{"b":"two\\nlines"}\n');
    expect(response.headers['content-type']).toBe('application/x-ndjson; charset=utf-8');
  });

  it('are made no faster than the client takes them, and no more when it has left', async () => {
    let made = 0;
    let isClosed = false;
    async function* endless(): AsyncGenerator<object> {
      try {
        for (;;) {
          made += 1;
          yield { text: 'x'.repeat(100_000) };
          await new Promise(setImmediate);
        }
      } finally {
        isClosed = true;
      }
    }
    const { response, ended } = await asked(endless());
    response.pause();
    // Until the buffers between both are full: then a hundred turns bring nothing more.
    for (let before = -1; before !== made;) {
      before = made;
      for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate);
    }
    expect(made).toBeLessThan(1_000);
    response.destroy();
    await ended;
    expect(isClosed).toBe(true);
  });

  it('do not wait for a client that has left while its answer waited behind another one', async () => {
    const ended: Promise<void>[] = [];
    const large = [{ text: 'x'.repeat(100_000) }, { text: 'x' }];
    server = createServer((request, response) => {
      if (request.url === '/lines') ended.push(sendNdjson(response, listOf(large)));
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    for (const path of ['/held', '/lines']) socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await eventually(() => expect(ended).toHaveLength(1));
    socket.destroy();
    await ended[0];
  });
});

async function* listOf(objects: readonly object[]): AsyncGenerator<object> {
  yield* objects;
  await Promise.resolve();
}
