import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage, Server } from 'node:http';
import type { Database } from '../../src/database/database';
import { background, routeHeader, type Asked } from './messages';

/**
 * Tells which request made the instance ask its database and Ollama: whatever a request starts, loads behind its answer
 * included, runs in its async context. A load that several wait for is of the one that began it. Costs time in every turn, on both
 * sides of the comparison alike, and counts exactly: `run.ts` checks the sum against what came to the server.
 */
export class Attribution {
  readonly #route = new AsyncLocalStorage<string>();
  #asked = new Map<string, Asked>();

  /** Every request from now on runs in a context of its own. */
  ofRequests(server: Server): void {
    const emit = server.emit.bind(server) as (event: string, ...args: unknown[]) => boolean;
    server.emit = (event: string, ...args: unknown[]): boolean => {
      if (event !== 'request') return emit(event, ...args);
      const route = (args[0] as IncomingMessage).headers[routeHeader];
      return this.#route.run(typeof route === 'string' ? route : background, () => emit(event, ...args));
    };
  }

  /** Counts where the database counts, in the turn in which a statement is handed to its driver, and the pings, which it leaves out. */
  ofStatements(database: Database): void {
    let count = database.queries;
    Object.defineProperty(database, 'count', {
      get: () => count,
      set: (next: number) => {
        this.#of().queries += next - count;
        count = next;
      },
    });
    const ping = database.ping.bind(database);
    database.ping = timeoutMs => {
      this.#of().queries += 1;
      return ping(timeoutMs);
    };
  }

  /** Counts the exchanges that are begun with one server. */
  ofFetches(origin: string): void {
    const { fetch } = globalThis;
    globalThis.fetch = (input, init) => {
      if (String(input instanceof Request ? input.url : input).startsWith(origin)) this.#of().ollama += 1;
      return fetch(input, init);
    };
  }

  reset(): void {
    this.#asked = new Map();
  }

  get byRoute(): Readonly<Record<string, Asked>> {
    return Object.fromEntries(this.#asked);
  }

  #of(): Asked {
    const route = this.#route.getStore() ?? background;
    let asked = this.#asked.get(route);
    if (!asked) this.#asked.set(route, (asked = { queries: 0, ollama: 0 }));
    return asked;
  }
}
