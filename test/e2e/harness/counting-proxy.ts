import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Passes everything on to a server on this machine, and counts what clients send it: to see what it was really asked. */
export class CountingProxy {
  private readonly sockets = new Set<Socket>();
  private sent = '';

  private constructor(
    private readonly server: Server,
    private readonly ofConnection: () => (bytes: Buffer) => void = () => bytes =>
      void (this.sent += bytes.toString('latin1')),
  ) {}

  /** `ofConnection` gets the bytes of each connection apart, in the place of `count`. */
  static async start(
    targetPort: number,
    ofConnection?: () => (bytes: Buffer) => void,
  ): Promise<CountingProxy> {
    const server = createServer();
    const proxy = new CountingProxy(server, ofConnection);
    server.on('connection', client => proxy.join(client, connect(targetPort, '127.0.0.1')));
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** How often clients have sent this since the last `forget`. */
  count(what: RegExp): number {
    return [...this.sent.matchAll(new RegExp(what, 'g'))].length;
  }

  forget(): void {
    this.sent = '';
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise(resolve => this.server.close(resolve));
  }

  private join(client: Socket, target: Socket): void {
    client.on('data', this.ofConnection());
    for (const [one, other] of [
      [client, target],
      [target, client],
    ] as const) {
      this.sockets.add(one);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => (this.sockets.delete(one), other.destroy()));
    }
  }
}
