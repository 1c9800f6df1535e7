import type { Call } from './call';
import { isCounted, type LoadScope } from './load-scope';
import type { CacheParts } from './parts';
import type { FlightResult } from './single-flight';

const maxRefreshesRemembered = 10_000;

/** Loads behind answers that have been given: one a key in this process, and by the lease one in the cluster. */
export class Refreshes {
  /** Those that run (Infinity) or have failed lately, by name: none begins before the time. */
  readonly #notBefore = new Map<string, number>();
  #closed = false;

  constructor(
    private readonly parts: CacheParts,
    private readonly begin: (call: Call) => Promise<FlightResult>,
  ) {}

  close(): void {
    this.#closed = true;
  }

  /** Begins a refresh of the entry with this fill id, if none is under way or has just failed. Resolves to what it brings. */
  start(call: Call, fillId: string): Promise<FlightResult> | undefined {
    const { clock, background, flights, options, scopes } = this.parts;
    if (
      this.#closed ||
      flights.current(call.name) ||
      flights.refreshing(call.name) ||
      (this.#notBefore.get(call.name) ?? 0) > clock.nowMs()
    )
      return undefined;
    if (this.#notBefore.size >= maxRefreshesRemembered) this.#notBefore.clear();
    this.#notBefore.set(call.name, Infinity);
    // A refresh belongs to nobody's load and to nobody's request.
    const scope: LoadScope = { purpose: 'refresh', load: undefined, uncounted: !isCounted(call.scope) };
    const again = (): void => void this.#notBefore.set(call.name, clock.nowMs() + options.refreshRetryMs);
    const refresh = scopes.run(scope, async () => {
      // After the answer: what a loader does before its first `await` is not for this caller to wait for.
      await Promise.resolve();
      return this.begin({ ...call, scope, purpose: 'refresh', refreshOf: fillId });
    });
    background.track(
      refresh.then(
        result => {
          const brought = result.kind === 'loaded' ? result.stored : result.kind === 'found';
          if (brought) this.#notBefore.delete(call.name);
          else again();
        },
        // The `load` event has reported it; the stale answer goes on until its window ends.
        again,
      ),
    );
    return refresh;
  }
}
