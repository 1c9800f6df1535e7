import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { scripts } from '../../src/cache/redis/scripts';
import { eventually } from './cache-node';
import type { RedisServer } from './redis-server';

/** What caches sent to the server between `start` and `stop`, without heartbeats. */
export interface Recording {
  /** Sorted names; a script goes by its own name, whatever it does inside. */
  commands: string[];
  /** How often something was sent while nothing was under way: what follows an answer is another trip. */
  trips: number;
}

/** A connection sends the text of a script with its first use, and its digest from then on. */
const scriptBy = new Map(
  Object.entries(scripts).flatMap(([name, { lua }]) => [
    [asMonitored(lua), name],
    [createHash('sha1').update(lua).digest('hex'), name],
  ]),
);

/**
 * Counts commands where they arrive, by MONITOR on the server itself, and round trips where they leave, at the clients:
 * a trip begins with a command that is sent while no other one waits for its reply. Commands of one trip may travel in
 * several packets; what makes it a second trip is that it had to wait for the answer of the first.
 */
export class CommandRecorder {
  #commands: string[] = [];
  #heartbeats: string[] = [];
  #trips = 0;
  #inFlight = 0;
  #fences = 0;
  #lastFence = '';

  private constructor(
    private readonly redis: RedisServer,
    monitor: Redis,
  ) {
    const make = redis.client.bind(redis);
    // Every client that a cache is given from now on is listened to.
    redis.client = extra => this.#tap(make(extra));
    monitor.on('monitor', (_time: string, args: string[], source: string) => this.#hear(args, source));
  }

  static async attach(redis: RedisServer): Promise<CommandRecorder> {
    redis.admin(); // made before the listening begins: it is no cache's
    const monitor = redis.client({
      monitor: true,
      protocol: 2,
      commandTimeout: 10_000,
      socketTimeout: 60_000,
    });
    await monitor.connect();
    return new CommandRecorder(redis, monitor);
  }

  /** Runs something, waits for at least `expected` commands, and tells what was sent until everything was answered. */
  async during(act: () => Promise<unknown>, expected: number): Promise<Recording> {
    await eventually(() => this.#inFlight === 0);
    await this.#fence();
    this.#commands = [];
    this.#trips = 0;
    await act();
    // Where it ends with too few, the comparison says which are missing.
    for (let look = 0; look < 200 && (this.#inFlight > 0 || this.#commands.length < expected); look += 1) {
      await new Promise(resolve => setTimeout(resolve, 10));
    }
    await this.#fence();
    return { commands: [...this.#commands].sort(), trips: this.#trips };
  }

  /** The heartbeats of the instance, one string a command, from now on until `count` of them have come. */
  async heartbeats(count: number): Promise<string[]> {
    this.#heartbeats = [];
    await eventually(() => this.#heartbeats.length >= count, 20_000);
    return this.#heartbeats.slice(0, count);
  }

  /** Waits until a command has come so often since the recording began. */
  async heard(name: string, count: number): Promise<void> {
    await eventually(() => this.#commands.filter(command => command === name).length >= count, 20_000);
  }

  /** Everything that the server was sent before this has been heard. */
  async #fence(): Promise<void> {
    const name = `fence ${(this.#fences += 1)}`;
    await this.redis.admin().echo(name);
    await eventually(() => this.#lastFence === name);
  }

  #tap(client: Redis): Redis {
    const send = client.sendCommand.bind(client);
    client.sendCommand = (command, stream) => {
      if (!isHeartbeat([command.name, ...command.args.map(String)])) {
        if (this.#inFlight === 0) this.#trips += 1;
        this.#inFlight += 1;
        const answered = (): void => void (this.#inFlight -= 1);
        command.promise.then(answered, answered);
      }
      return send(command, stream);
    };
    return client;
  }

  #hear(args: string[], source: string): void {
    // What a script does inside is part of the script.
    if (source === 'lua') return;
    const name = args[0]!.toLowerCase();
    if (name === 'echo') this.#lastFence = args[1]!;
    else if (isHeartbeat(args)) this.#heartbeats.push(name);
    else if (!isTest(name)) this.#commands.push(scriptBy.get(args[1] ?? '') ?? name);
  }
}

/** What goes out with every heartbeat, whatever else happens: canary, server time, and the touch of the namespace token. */
function isHeartbeat([name, key = '']: readonly string[]): boolean {
  return ['touch', 'time', 'ping'].includes(name!.toLowerCase()) || key.includes(':~:');
}

/** As MONITOR prints a text. */
function asMonitored(lua: string): string {
  return lua.replace(/\n/g, '\\n');
}

/** What only this test sends, with its own connection. */
function isTest(name: string): boolean {
  return ['flushall'].includes(name);
}
