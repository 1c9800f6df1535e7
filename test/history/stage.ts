import { TcpProxy } from '../faults/tcp-proxy';
import { RedisServer } from '../integration/redis-server';
import type { Fault, Reach } from './plan';
import type { Random } from './random';

const namespace = 'test:1:';

/** The server and the networks before it, where faults happen. */
export class Stage {
  readonly #proxies = new Map<string, TcpProxy>();
  #frozenChild: (() => void) | undefined;
  #redisIsFrozen = false;
  #redisIsDown = false;
  #stopped = false;

  private constructor(readonly redis: RedisServer) {}

  /** A server, and for each instance a proxy for its data and one for its tracking connection. */
  static async set(instances: readonly string[]): Promise<Stage> {
    const stage = new Stage(await RedisServer.start());
    for (const inst of instances) {
      for (const link of ['data', 'tracker']) {
        stage.#proxies.set(`${inst}.${link}`, await TcpProxy.start(stage.redis.port));
      }
    }
    return stage;
  }

  proxy({ inst, link }: Reach): TcpProxy {
    const proxy = this.#proxies.get(`${inst}.${link}`);
    if (!proxy) throw new Error(`no proxy for ${inst}.${link}`);
    return proxy;
  }

  get redisPid(): number {
    return this.redis.pid;
  }

  /** Begins a fault; what it returns ends it. */
  async begin(
    fault: Fault,
    durationMs: number,
    random: Random,
    child: { signal(name: NodeJS.Signals): void } | undefined,
  ): Promise<() => Promise<void> | void> {
    switch (fault.kind) {
      case 'network':
        return this.#beginNetwork(fault);
      case 'freeze redis':
        this.redis.signal('SIGSTOP');
        this.#redisIsFrozen = true;
        return () => this.#thaw();
      case 'restart redis':
        this.#redisIsDown = true;
        await this.redis.kill();
        return () => this.#up();
      case 'pause writes':
        await this.redis.admin().call('CLIENT', 'PAUSE', String(durationMs), 'WRITE');
        return () => undefined;
      case 'freeze child':
        child?.signal('SIGSTOP');
        this.#frozenChild = () => child?.signal('SIGCONT');
        return () => this.#thawChild();
      case 'flush all':
        await this.redis.admin().flushall();
        return () => undefined;
      case 'flush scripts':
        await this.redis.admin().script('FLUSH');
        return () => undefined;
      case 'kill pubsub':
        await this.redis.admin().call('CLIENT', 'KILL', 'TYPE', 'pubsub');
        return () => undefined;
      case 'kill normal':
        await this.redis.admin().call('CLIENT', 'KILL', 'TYPE', 'normal');
        return () => undefined;
      case 'evict tokens':
        await this.#evict(`${namespace}t:*`, random);
        return () => undefined;
      case 'evict anything':
        await this.#evict(`${namespace}*`, random);
        return () => undefined;
    }
  }

  /** Ends all faults, whatever their plan was. */
  async healAll(): Promise<void> {
    for (const proxy of this.#proxies.values()) proxy.heal();
    this.#thaw();
    this.#thawChild();
    await this.#up();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#thawChild();
    await Promise.all([...this.#proxies.values()].map(proxy => proxy.stop()));
    await this.redis.stop();
  }

  #beginNetwork({ how, reach, amount }: Fault & { kind: 'network' }): () => void {
    const proxies = reach.map(one => this.proxy(one));
    for (const proxy of proxies) {
      if (how === 'delay' || how === 'slow' || how === 'truncateAfter') proxy[how](amount);
      // Damaged framing makes ioredis 6.0.0 throw where nobody can catch it (DataHandler.shiftCommand).
      else if (how === 'corrupt') proxy.corrupt('content');
      else proxy[how]();
      // What is refused is connections to come, and there are none while the old ones stand.
      if (how === 'refuse') proxy.cut();
    }
    return () => proxies.forEach(proxy => proxy.heal());
  }

  #thaw(): void {
    if (this.#redisIsFrozen) this.redis.signal('SIGCONT');
    this.#redisIsFrozen = false;
  }

  #thawChild(): void {
    this.#frozenChild?.();
    this.#frozenChild = undefined;
  }

  async #up(): Promise<void> {
    if (!this.#redisIsDown || this.#stopped) return;
    this.#redisIsDown = false;
    await this.redis.up();
  }

  /** Removes half of what matches, as a full server does. */
  async #evict(pattern: string, random: Random): Promise<void> {
    const keys = await this.redis.admin().keys(pattern);
    const gone = keys.sort().filter(() => random.happens(0.5));
    if (gone.length > 0) await this.redis.admin().unlink(...gone);
  }
}
