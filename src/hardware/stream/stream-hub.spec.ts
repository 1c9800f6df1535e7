import { createServer, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { FakeClock, settled } from '../../../test/fakes/fake-clock';
import { HardwareCountsService } from '../hardware-counts.service';
import { heartbeatMs, stallLimitMs, StreamHub } from './stream-hub';

/** Much more than the buffers of a socket pair hold. */
const large = 'x'.repeat(16 * 1_024 * 1_024);

describe('the hub of the stream', () => {
  let clock: FakeClock;
  let counts: HardwareCountsService['stream'];
  let server: Server;
  let hub: StreamHub;
  let intervalSeconds: number;
  let reading: () => Promise<string>;
  const responses: ServerResponse[] = [];
  const errors: unknown[] = [];
  const sockets: Socket[] = [];

  beforeEach(async () => {
    clock = new FakeClock();
    counts = new HardwareCountsService().stream;
    intervalSeconds = 1;
    reading = async () => `data: ${counts.readings}\n\n`;
    responses.length = errors.length = 0;
    hub = new StreamHub({
      maxClients: 3,
      clock,
      counts,
      read: () => reading(),
      onError: error => errors.push(error),
    });
    server = createServer((_request, response) => {
      responses.push(response);
      if (!hub.join(response, intervalSeconds)) response.writeHead(503).end();
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    await hub.close();
    for (const socket of sockets.splice(0)) socket.destroy();
    await new Promise(resolve => server.close(resolve));
  });

  /** Until a check passes; the sockets are real and take their own time. */
  async function until(check: () => boolean): Promise<void> {
    while (!check()) await new Promise(resolve => setTimeout(resolve, 1));
  }

  /** A client that has been let in; `text` is what it has read. */
  async function client(): Promise<{ socket: Socket; text: () => string }> {
    const before = responses.length;
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    sockets.push(socket);
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => responses.length > before);
    return { socket, text: () => text };
  }

  it('reads the machine once a second for all who are due, and for nobody not at all', async () => {
    const [a, b] = [await client(), await client()];
    intervalSeconds = 3;
    const slow = await client();
    await clock.advance(5_500);
    // Seconds 0 to 5: six readings for two clients of each second, and two for the third, which cost none of their own.
    expect(counts).toMatchObject({ readings: 6, events: 6 + 6 + 2, clients: 3, skipped: 0 });
    await until(() => a.text().includes('data: 5') && b.text().includes('data: 5'));
    await until(() => slow.text().includes('data: 3'));
    expect(slow.text()).not.toContain('data: 1');
    for (const { socket } of [a, b, slow]) socket.destroy();
    await until(() => counts.clients === 0);
    await clock.advance(10_000);
    expect(counts.readings).toBe(6);
    expect(clock.pending).toBe(0);
  });

  it('begins with the time after which to connect again', async () => {
    const { text } = await client();
    await until(() => text().includes('retry: 3000\n\n'));
    expect(text()).toMatch(/content-type: text\/event-stream/i);
    expect(text()).toMatch(/cache-control: no-store/i);
  });

  it('refuses whoever finds no place, and lets the next one in when one is free', async () => {
    const [first] = [await client(), await client(), await client()];
    const refused = await client();
    await until(() => refused.text().startsWith('HTTP/1.1 503'));
    expect(counts).toMatchObject({ clients: 3, refused: 1 });
    first.socket.destroy();
    await until(() => counts.clients === 2);
    const next = await client();
    await until(() => next.text().startsWith('HTTP/1.1 200'));
  });

  it('skips what a client that does not read would have got, holds no more than one event for it, and tells it', async () => {
    reading = async () => `data: ${large}\n\n`;
    const { socket, text } = await client();
    socket.pause();
    await clock.advance(20_500);
    expect(counts.events).toBe(1);
    expect(counts.skipped).toBe(20);
    expect(responses[0]!.writableLength).toBeLessThan(1.1 * large.length);
    reading = async () => 'data: small\n\n';
    socket.resume();
    await until(() => text().length > large.length && !responses[0]!.writableNeedDrain);
    await settled();
    await clock.advance(1_000);
    await until(() => text().includes('event: skipped\ndata: {"skipped":20}\n\ndata: small\n\n'));
    expect(counts.skipped).toBe(20);
  });

  it('lets a client go that takes nothing for a minute', async () => {
    reading = async () => `data: ${large}\n\n`;
    const { socket } = await client();
    socket.pause();
    await clock.advance(stallLimitMs + 1_000);
    expect(counts.stalled).toBe(1);
    await until(() => counts.clients === 0);
  });

  /** A client with so many requests on one connection, one behind the other: all are let in, the first is answered. */
  async function pipelining(requests: number): Promise<Socket> {
    const { socket } = await client();
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(requests - 1));
    await until(() => responses.length === requests);
    return socket;
  }

  it('frees the places of answers that wait behind another one when their connection ends', async () => {
    const socket = await pipelining(3);
    expect(counts.clients).toBe(3);
    socket.destroy();
    await until(() => counts.clients === 0);
    expect(clock.pending).toBe(0);
    const next = await client();
    await until(() => next.text().startsWith('HTTP/1.1 200'));
  });

  it('lets answers go that wait behind another one and get nowhere', async () => {
    await pipelining(3);
    reading = async () => `data: ${'x'.repeat(100_000)}\n\n`;
    await clock.advance(stallLimitMs + 2_000);
    expect(counts).toMatchObject({ stalled: 2, clients: 1 });
  });

  it('keeps no place for a client that has left before it came in', async () => {
    const { socket } = await client();
    socket.destroy();
    await until(() => responses[0]!.destroyed && counts.clients === 0);
    expect(hub.join(responses[0]!, 1)).toBe(true);
    expect(counts.clients).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it('says something on a quiet stream, and nothing more on others', async () => {
    const lively = await client();
    intervalSeconds = 60;
    const quiet = await client();
    await clock.advance(2 * heartbeatMs + 500);
    await until(() => quiet.text().split(': heartbeat\n\n').length === 3);
    await until(() => lively.text().includes('data: 29'));
    expect(lively.text()).not.toContain('heartbeat');
  });

  it('leaves out the seconds of a reading that takes longer', async () => {
    let release = (): void => undefined;
    reading = () => new Promise(resolve => (release = () => resolve('data: late\n\n')));
    await client();
    await clock.advance(4_200);
    expect(counts.readings).toBe(0);
    release();
    await settled();
    expect(counts.readings).toBe(1);
    reading = async () => 'data: quick\n\n';
    await clock.advance(900);
    expect(counts.readings).toBe(2);
  });

  it('goes on after a reading that failed', async () => {
    reading = async () => {
      throw new Error('unreadable');
    };
    const { text } = await client();
    await clock.advance(1_500);
    expect(errors).toHaveLength(2);
    reading = async () => 'data: again\n\n';
    await clock.advance(1_000);
    await until(() => text().includes('data: again'));
  });

  it('ends the streams when it is closed, waits for the reading under way and lets nobody in', async () => {
    let release = (): void => undefined;
    reading = () => new Promise(resolve => (release = () => resolve('data: late\n\n')));
    const { socket, text } = await client();
    await clock.advance(100);
    let isClosed = false;
    const closed = hub.close().then(() => (isClosed = true));
    await until(() => text().endsWith('0\r\n\r\n')); // the end of a chunked body, not a cut
    await settled();
    expect(isClosed).toBe(false);
    release();
    await closed;
    expect(text()).not.toContain('late');
    socket.destroy();
    const late = await client();
    await until(() => late.text().startsWith('HTTP/1.1 503'));
    expect(clock.pending).toBe(0);
  });
});
