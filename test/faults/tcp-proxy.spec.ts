import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { eventually } from '../integration/cache-node';
import { TcpProxy } from './tcp-proxy';

/** What a client has seen of its connection. */
class Client {
  text = '';
  bytes = Buffer.alloc(0);
  packets = 0;
  ended: 'end' | 'reset' | undefined;

  private constructor(readonly socket: Socket) {
    socket.on('data', data => {
      this.packets += 1;
      this.bytes = Buffer.concat([this.bytes, data]);
      this.text = this.bytes.toString('latin1');
    });
    socket.once('end', () => (this.ended ??= 'end'));
    socket.once('error', () => (this.ended ??= 'reset'));
  }

  static async connect(port: number): Promise<Client> {
    const client = new Client(connect({ port, host: '127.0.0.1', noDelay: true }));
    await eventually(() => !client.socket.connecting);
    return client;
  }
}

/** Each fault of the proxy, before a server that answers `<text>` with `[<text>]`. */
describe('the proxy', () => {
  let server: Server;
  let proxy: TcpProxy;
  let heard: string;
  let atServer: Set<Socket>;
  const clients: Client[] = [];
  const client = async (): Promise<Client> => {
    const made = await Client.connect(proxy.port);
    clients.push(made);
    return made;
  };
  /** A client whose connection is known to work. */
  const working = async (): Promise<Client> => {
    const made = await client();
    made.socket.write('hi');
    await eventually(() => made.text === '[hi]');
    return made;
  };
  const turns = (ms = 60): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

  beforeEach(async () => {
    heard = '';
    atServer = new Set();
    server = createServer(socket => {
      atServer.add(socket.setNoDelay(true));
      socket.on('data', data => {
        heard += data.toString('latin1');
        socket.write(`[${data.toString('latin1')}]`);
      });
      socket.on('error', () => socket.destroy());
      socket.on('close', () => atServer.delete(socket));
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    proxy = await TcpProxy.start((server.address() as AddressInfo).port);
  });

  afterEach(async () => {
    await proxy.stop();
    for (const { socket } of clients.splice(0)) socket.destroy();
    await new Promise(resolve => server.close(resolve));
  });

  test('pass: bytes go both ways, and the end of a connection reaches the other side', async () => {
    const a = await working();
    a.socket.end();
    await eventually(() => a.ended === 'end' && atServer.size === 0 && proxy.connections === 0);
  });

  test('hold keeps everything in order, and heal lets it go', async () => {
    const a = await working();
    proxy.hold();
    a.socket.write('1');
    await turns();
    a.socket.write('2');
    await turns();
    expect([heard, a.text]).toEqual(['hi', '[hi]']);
    proxy.heal();
    await eventually(() => heard === 'hi12' && a.text.startsWith('[hi][1'));
  });

  test('hold: what a client has sent arrives although it has left meanwhile', async () => {
    const a = await working();
    proxy.hold();
    a.socket.write('late');
    await turns();
    a.socket.destroy();
    await turns();
    expect([heard, atServer.size]).toEqual(['hi', 1]);
    proxy.heal();
    await eventually(() => heard === 'hilate' && atServer.size === 0);
  });

  test('hold: a sender is stopped when too much is under way, and nothing is lost', async () => {
    const a = await working();
    proxy.hold();
    const much = 'x'.repeat(8 * 1024 * 1024);
    a.socket.write(much);
    await turns();
    expect(a.socket.writableLength).toBeGreaterThan(0);
    proxy.heal();
    await eventually(() => heard.length === much.length + 2);
  });

  test('blackhole: bytes vanish, and the connection that has lost some never works again', async () => {
    const a = await working();
    const idle = await working();
    proxy.blackhole();
    a.socket.write('gone');
    await turns();
    proxy.heal();
    a.socket.write('more');
    idle.socket.write('ok');
    await eventually(() => idle.text === '[hi][ok]');
    await turns();
    expect([heard, a.text, a.ended]).toEqual(['hihiok', '[hi]', undefined]);
    const again = await working();
    expect(again.ended).toBeUndefined();
  });

  test('blackhole: nobody hears that the other side has left, until the way is free again', async () => {
    const a = await working();
    proxy.blackhole();
    a.socket.destroy();
    await turns();
    expect(atServer.size).toBe(1);
    proxy.heal();
    await eventually(() => atServer.size === 0 && proxy.connections === 0);
  });

  test('dropReplies: the server hears, the client does not', async () => {
    const a = await working();
    proxy.dropReplies();
    a.socket.write('1');
    await eventually(() => heard === 'hi1');
    await turns();
    proxy.heal();
    a.socket.write('2');
    await eventually(() => heard === 'hi12');
    await turns();
    expect(a.text).toBe('[hi]');
  });

  test('refuse: new connections are reset, those that stand go on', async () => {
    const a = await working();
    proxy.refuse();
    const b = await client();
    await eventually(() => b.ended === 'reset');
    a.socket.write('1');
    await eventually(() => a.text === '[hi][1]');
    proxy.pass();
    await working();
  });

  test('delay: later, and in order', async () => {
    const a = await working();
    proxy.delay(100);
    const sentAtMs = performance.now();
    a.socket.write('1');
    await turns(20);
    a.socket.write('2');
    await eventually(() => a.text.endsWith('2]'));
    expect(performance.now() - sentAtMs).toBeGreaterThanOrEqual(200);
    expect(heard).toBe('hi12');
  });

  test('cut: both sides see a reset', async () => {
    const a = await working();
    proxy.cut();
    await eventually(() => a.ended === 'reset' && atServer.size === 0 && proxy.connections === 0);
  });

  test('cut: nothing of a connection is left, also when it was sending and nobody reads', async () => {
    const a = await working();
    a.socket.pause();
    const much = 'x'.repeat(8 * 1024 * 1024);
    a.socket.write(much);
    await eventually(() => heard.length > much.length / 2);
    proxy.cut();
    await eventually(() => atServer.size === 0 && proxy.connections === 0);
  });

  test('corrupt: one byte of a reply is another, of a request none', async () => {
    const a = await working();
    proxy.corrupt();
    a.socket.write('abc');
    await eventually(() => a.bytes.length === 9);
    expect(heard).toBe('hiabc');
    const sent = Buffer.from('[abc]');
    const came = a.bytes.subarray(4);
    expect([...came].filter((byte, at) => byte !== sent[at])).toHaveLength(1);
  });

  test('corrupt content: what frames it is whole, and so is what is short', async () => {
    const a = await working();
    proxy.corrupt('content');
    a.socket.write('$4\r\nwell\r\n');
    await eventually(() => a.text.endsWith('well\r\n]'));
    a.socket.write('$16\r\n0123456789abcdef\r\n$2\r\n');
    await eventually(() => a.text.endsWith('$2\r\n]'));
    expect(a.text).toContain('$16\r\n01234567\xb89abcdef\r\n$2\r\n');
  });

  test('truncateAfter: so many bytes of the replies, then the connection ends', async () => {
    const a = await working();
    proxy.truncateAfter(3);
    a.socket.write('abcdef');
    await eventually(() => a.ended !== undefined);
    expect(a.text).toMatch(/^\[hi\](\[ab)?$/);
  });

  test('slow: no faster than asked', async () => {
    const a = await working();
    proxy.slow(10_000);
    const sentAtMs = performance.now();
    a.socket.write('x'.repeat(2_000));
    await eventually(() => heard.length === 2_002);
    expect(performance.now() - sentAtMs).toBeGreaterThanOrEqual(150);
    proxy.pass();
  });

  test('slice: a packet for each byte', async () => {
    const a = await working();
    proxy.slice();
    a.socket.write('0123456789');
    await eventually(() => heard === 'hi0123456789');
    // Each byte came alone and was answered alone, unless the kernel has joined some of them.
    await eventually(() => a.bytes.length > 4 + 12 + 2);
    expect(a.packets).toBeGreaterThan(4);
  });
});
