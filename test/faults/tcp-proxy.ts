import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';

/** What happens to bytes on their way. `refuse` concerns new connections only. */
type Fault =
  | { kind: 'pass' | 'hold' | 'blackhole' | 'dropReplies' | 'refuse' | 'slice' }
  | { kind: 'corrupt'; where: Damage }
  | { kind: 'delay'; ms: number }
  | { kind: 'truncateAfter'; bytes: number }
  | { kind: 'slow'; bytesPerSecond: number };

/**
 * `anywhere`: in the middle of a packet. `content`: in the middle of its longest line, which in RESP frames nothing. `length`:
 * where the server tells its time it announces a text that does not end.
 */
export type Damage = 'anywhere' | 'content' | 'length';

/** Lines of RESP that say what follows (`*3`, `$-1`, `:12345`) are shorter. */
const shortestContentBytes = 12;

/** So much may be on its way in one direction; then the sender is read no further, as with a full TCP window. */
const maxBytesUnderWay = 64 * 1024;
const slowTickMs = 20;

/**
 * A network between a client and a server on this machine, with the faults that networks have. It stands in the way of
 * whole connections: a byte that is gone stays gone, so a connection that has lost one is dead for good in that direction,
 * also after `heal`. Only new connections are healthy then.
 */
export class TcpProxy {
  readonly #links = new Set<Link>();
  #fault: Fault = { kind: 'pass' };

  private constructor(
    private readonly server: Server,
    /** Where clients connect to, on 127.0.0.1. */
    readonly port: number,
    private readonly targetPort: number,
  ) {}

  static async start(targetPort: number): Promise<TcpProxy> {
    const server = createServer({ allowHalfOpen: true });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    const proxy = new TcpProxy(server, (server.address() as AddressInfo).port, targetPort);
    server.on('connection', client => proxy.#accept(client));
    return proxy;
  }

  /** How many connections there are, dead ones included. */
  get connections(): number {
    return this.#links.size;
  }

  /** Bytes go through; what was held goes first. */
  pass(): void {
    this.#change({ kind: 'pass' });
    for (const link of this.#links) link.forgetIfAbandoned();
  }

  /** Keeps the bytes of both directions, and the ends of connections: a loss that TCP makes good by sending again. */
  hold(): void {
    this.#change({ kind: 'hold' });
  }

  /** The end of any fault. */
  heal(): void {
    this.pass();
  }

  /** Bytes vanish, and nobody is told: a dead host, or a NAT that has forgotten the connection. */
  blackhole(): void {
    this.#change({ kind: 'blackhole' });
  }

  /** The server hears and does everything; the client never hears of it. */
  dropReplies(): void {
    this.#change({ kind: 'dropReplies' });
  }

  /** New connections are reset as soon as they are made; those that stand go on. */
  refuse(): void {
    this.#change({ kind: 'refuse' });
  }

  /** Everything arrives `ms` milliseconds later, in order. */
  delay(ms: number): void {
    this.#change({ kind: 'delay', ms });
  }

  /** Resets every connection now; the fault in force stays in force. */
  cut(): void {
    for (const link of this.#links) link.reset();
  }

  /** Flips the highest bit of one byte of each packet of a reply: text never becomes other valid text. */
  corrupt(where: Damage = 'anywhere'): void {
    this.#change({ kind: 'corrupt', where });
  }

  /** Each connection ends when it has delivered so many more bytes of replies. */
  truncateAfter(bytes: number): void {
    this.#change({ kind: 'truncateAfter', bytes });
  }

  /** Each direction of each connection is that slow. */
  slow(bytesPerSecond: number): void {
    this.#change({ kind: 'slow', bytesPerSecond });
  }

  /** Every byte is a packet of its own. */
  slice(): void {
    this.#change({ kind: 'slice' });
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>(resolve => this.server.close(() => resolve()));
    this.cut();
    await closed;
  }

  #change(fault: Fault): void {
    this.#fault = fault;
    for (const link of this.#links) link.faultChanged();
  }

  #accept(client: Socket): void {
    if (this.#fault.kind === 'refuse') return reset(client);
    const server = connect({ port: this.targetPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const link = new Link(
      client.setNoDelay(true),
      server,
      () => this.#fault,
      () => this.#links.delete(link),
    );
    this.#links.add(link);
  }
}

/** One connection of a client and the one made for it to the server. */
class Link {
  readonly #requests: Direction;
  readonly #replies: Direction;

  constructor(
    private readonly client: Socket,
    private readonly server: Socket,
    fault: () => Fault,
    private readonly gone: () => void,
  ) {
    this.#requests = new Direction(client, server, false, fault, () => this.reset());
    this.#replies = new Direction(server, client, true, fault, () => this.reset());
    for (const socket of [client, server]) {
      socket.once('close', () => {
        if (client.destroyed && server.destroyed) this.gone();
      });
    }
  }

  faultChanged(): void {
    this.#requests.faultChanged();
    this.#replies.faultChanged();
  }

  reset(): void {
    this.#requests.stop();
    this.#replies.stop();
    for (const socket of [this.client, this.server]) reset(socket);
  }

  /** One side has left while nobody could tell the other: once the way is free, the other is told. */
  forgetIfAbandoned(): void {
    if (this.#requests.isAbandoned || this.#replies.isAbandoned) this.reset();
  }
}

type Piece = { bytes: Buffer; dueMs: number } | { bytes: 'end' | 'reset'; dueMs: number };

/** One way of a link: bytes, and at last the end of the connection, in order. */
class Direction {
  readonly #queue: Piece[] = [];
  #cancelWait: (() => void) | undefined;
  #underWay = 0;
  #untilCut = Infinity;
  /** Some bytes have vanished: nothing that comes after them can arrive. */
  #lost = false;

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
    private readonly isReplies: boolean,
    private readonly fault: () => Fault,
    private readonly resetLink: () => void,
  ) {
    this.faultChanged();
    from.on('data', (bytes: Buffer) => this.#receive(bytes));
    from.once('end', () => this.#enqueue('end'));
    // Half of the ends of a connection are errors. What matters is that the other side hears of it.
    let failed = false;
    from.on('error', () => (failed = true));
    from.once('close', () => this.#enqueue(failed ? 'reset' : 'end'));
  }

  get isAbandoned(): boolean {
    return this.#lost && (this.from.destroyed || this.from.readableEnded);
  }

  faultChanged(): void {
    const fault = this.fault();
    this.#untilCut = this.isReplies && fault.kind === 'truncateAfter' ? fault.bytes : Infinity;
    this.#endWait();
    this.#deliver();
  }

  stop(): void {
    this.#endWait();
    this.#queue.length = 0;
  }

  #receive(bytes: Buffer): void {
    if (this.#swallows()) {
      this.#lost = true;
      this.#queue.length = 0;
      return;
    }
    this.#underWay += bytes.length;
    if (this.#underWay > maxBytesUnderWay) this.from.pause();
    const fault = this.fault();
    if (this.isReplies && fault.kind === 'corrupt') damage(bytes, fault.where);
    this.#enqueue(bytes);
  }

  #swallows(): boolean {
    const { kind } = this.fault();
    return this.#lost || kind === 'blackhole' || (kind === 'dropReplies' && this.isReplies);
  }

  #enqueue(bytes: Buffer | 'end' | 'reset'): void {
    if (this.#swallows()) {
      this.#lost = true;
      return;
    }
    const fault = this.fault();
    this.#queue.push({ bytes, dueMs: performance.now() + (fault.kind === 'delay' ? fault.ms : 0) });
    this.#deliver();
  }

  /** Hands on what is due, as the fault in force lets it. */
  #deliver(): void {
    while (!this.#cancelWait && this.#queue.length > 0) {
      const fault = this.fault();
      if (fault.kind === 'hold') return;
      const [piece] = this.#queue as [Piece];
      const waitMs = fault.kind === 'delay' ? piece.dueMs - performance.now() : 0;
      if (waitMs > 0) return this.#later(waitMs);
      if (typeof piece.bytes === 'string') {
        this.#queue.shift();
        this.#end(piece.bytes);
        continue;
      }
      const size = Math.min(piece.bytes.length, sizeOfPacket(fault), this.#untilCut);
      this.#write(piece.bytes.subarray(0, size));
      if (size === piece.bytes.length) this.#queue.shift();
      else piece.bytes = piece.bytes.subarray(size);
      if (this.#untilCut === 0) return this.resetLink();
      if (fault.kind === 'slow') this.#later(slowTickMs);
      else if (fault.kind === 'slice') this.#later(0);
    }
  }

  /** Goes on after `waitMs`; 0 is the next turn of the event loop. */
  #later(waitMs: number): void {
    const goOn = (): void => {
      this.#cancelWait = undefined;
      this.#deliver();
    };
    if (waitMs === 0) {
      const turn = setImmediate(goOn);
      this.#cancelWait = () => clearImmediate(turn);
    } else {
      const timer = setTimeout(goOn, Math.ceil(waitMs));
      this.#cancelWait = () => clearTimeout(timer);
    }
  }

  #endWait(): void {
    this.#cancelWait?.();
    this.#cancelWait = undefined;
  }

  #write(bytes: Buffer): void {
    this.#untilCut -= bytes.length;
    this.#underWay -= bytes.length;
    if (this.#underWay <= maxBytesUnderWay && this.from.isPaused()) this.from.resume();
    if (this.to.writable) this.to.write(bytes);
  }

  #end(how: 'end' | 'reset'): void {
    if (this.to.destroyed) return;
    if (how === 'reset') reset(this.to);
    else if (this.to.writable) this.to.end();
    // Whoever is gone for good takes the other direction along.
    if (this.from.destroyed && how === 'end') this.to.destroySoon();
  }
}

function sizeOfPacket(fault: Fault): number {
  if (fault.kind === 'slice') return 1;
  if (fault.kind === 'slow') return Math.max(1, Math.floor((fault.bytesPerSecond * slowTickMs) / 1_000));
  return Infinity;
}

/**
 * Resets a connection. One that is still sending, or has said that it will send no more, is closed without a reset: there
 * `resetAndDestroy` fails in libuv (EINVAL), the handle stays open, and Node 20 spins on it when the process ends.
 */
function reset(socket: Socket): void {
  if (socket.destroyed) return;
  if (socket.connecting || socket.writableEnded || socket.writableLength > 0) socket.destroy();
  else socket.resetAndDestroy();
}

function damage(bytes: Buffer, where: Damage): void {
  if (where === 'length') {
    const length = /\$10\r\n\d{10}\r\n/.exec(bytes.toString('latin1'));
    if (length) bytes.write('$9999999\r\n', length.index, 'latin1');
    return;
  }
  let [start, end] = [0, bytes.length];
  if (where === 'content') {
    [start, end] = [0, 0];
    for (let from = 0; from < bytes.length;) {
      const newline = bytes.indexOf('\r\n', from);
      const to = newline === -1 ? bytes.length : newline;
      if (to - from > end - start) [start, end] = [from, to];
      from = to + 2;
    }
    if (end - start < shortestContentBytes) return;
  }
  bytes[(start + end) >> 1]! ^= 0x80;
}
