import type { ProblemException } from '../http/problem.exception';
import { isPastManifest, type PullProgress } from './pull-progress';
import { PullWatch } from './pull-watch';

export type PullState =
  | { readonly kind: 'running' }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly problem: ProblemException };

/** One model on its way from the provider's registry to the provider, and those who watch it. */
export class Pull {
  readonly startedAt = new Date();
  #endedAt: Date | undefined;
  #state: PullState = { kind: 'running' };
  #progress: PullProgress | undefined;
  readonly #watchers = new Set<PullWatch>();
  #found!: () => void;
  /** Resolves when the provider has found the model, or when the pull has ended. */
  readonly found: Promise<void>;

  /** @param name with its tag */
  constructor(readonly name: string) {
    this.found = new Promise(resolve => (this.#found = resolve));
  }

  get state(): PullState {
    return this.#state;
  }

  get endedAt(): Date | undefined {
    return this.#endedAt;
  }

  /** The latest that is known; undefined before the first line. */
  get progress(): PullProgress | undefined {
    return this.#progress;
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  /** Its progress from now on, beginning with the latest that is known. */
  watch(): PullWatch {
    const watch = new PullWatch(() => this.#watchers.delete(watch));
    if (this.#progress) watch.tell(this.#progress);
    if (this.#state.kind === 'running') this.#watchers.add(watch);
    else watch.end();
    return watch;
  }

  tell(progress: PullProgress): void {
    this.#progress = progress;
    for (const watch of this.#watchers) watch.tell(progress);
    if (isPastManifest(progress)) this.#found();
  }

  end(state: PullState): void {
    this.#state = state;
    this.#endedAt = new Date();
    this.#found();
    // One that has ended forgets its watchers when they have taken what waits for them.
    for (const watch of this.#watchers) watch.end();
  }
}
