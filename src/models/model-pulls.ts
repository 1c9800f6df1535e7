import { Inject, Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { TieredCache } from '../cache';
import { AppConfig } from '../config/app-config';
import { ProblemException } from '../http/problem.exception';
import { tagsOfPull } from './cache';
import { causeOf } from './cause-of';
import { hostOf, withTag } from './model-name';
import {
  hostRefused,
  noProvider,
  problemOf,
  pullAborted,
  pullTimedOut,
  tooManyPulls,
} from './model-problems';
import { OllamaClient, OllamaError } from './ollama.client';
import { Pull } from './pull';
import { progressOf } from './pull-progress';

export const pullLimits = Object.freeze({
  /** Pulls that have ended and can still be looked at. */
  maxKept: 20,
  /** Requests that watch one pull at once. */
  maxWatchers: 32,
});

/**
 * Has the provider pull models, behind the requests that ask for it: a pull goes on when nobody watches any more. One model is
 * pulled once at a time, and who asks for it meanwhile joins. Each instance knows the pulls that it has begun; of two instances
 * that pull the same model, Ollama itself loads each layer once and tells both.
 */
@Injectable()
export class ModelPulls implements OnModuleDestroy {
  readonly #log = new Logger('Models');
  readonly #running = new Map<string, { pull: Pull; ended: Promise<void> }>();
  readonly #ended: Pull[] = [];
  readonly #closing = new AbortController();

  constructor(
    @Inject(OllamaClient) private readonly ollama: OllamaClient | null,
    private readonly cache: TieredCache,
    private readonly config: AppConfig,
  ) {}

  /**
   * Begins a pull, or joins the one of this model that is under way.
   * @param name a model name, of which `isModelName` says that it is one
   * @param onEnd is told of the end of one that began here
   * @throws ProblemException 400 for a host that is not listed: the machine of the provider would ask it, from inside of its network;
   * 503 without a provider and while shutting down, 429 at a limit
   */
  start(name: string, onEnd: (pull: Pull) => void = () => undefined): { pull: Pull; joined: boolean } {
    const { maxPulls, pullHosts } = this.config.ollama;
    const host = hostOf(name);
    if (host !== undefined && !pullHosts.includes(host)) throw hostRefused(host);
    if (!this.ollama) throw noProvider();
    if (this.#closing.signal.aborted) throw pullAborted();
    const known = this.#running.get(withTag(name))?.pull;
    if (known && known.watchers >= pullLimits.maxWatchers)
      throw tooManyPulls(`${pullLimits.maxWatchers} requests watch this pull`);
    if (known) return { pull: known, joined: true };
    if (this.#running.size >= maxPulls)
      throw tooManyPulls(`${maxPulls} ${maxPulls === 1 ? 'pull is' : 'pulls are'} under way`);
    const pull = new Pull(withTag(name));
    this.#running.set(pull.name, { pull, ended: this.#run(pull, this.ollama, onEnd) });
    return { pull, joined: false };
  }

  /** Those under way, then those that have ended, the latest first. */
  all(): Pull[] {
    return [...[...this.#running.values()].map(({ pull }) => pull).reverse(), ...this.#ended];
  }

  /** Before the listener closes: whoever watches is told the end, so that no request is in its way. */
  async onModuleDestroy(): Promise<void> {
    this.#closing.abort(pullAborted());
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }

  async #run(pull: Pull, ollama: OllamaClient, onEnd: (pull: Pull) => void): Promise<void> {
    try {
      await this.#follow(pull, ollama);
      await this.#forget(pull.name);
      this.#log.log(`${pull.name} has been pulled`);
      pull.end({ kind: 'done' });
    } catch (error) {
      this.#log.warn(`${pull.name} has not been pulled: ${textOf(error)}`);
      pull.end({ kind: 'failed', problem: problemOfPull(error) });
    }
    this.#running.delete(pull.name);
    this.#ended.unshift(pull);
    this.#ended.splice(pullLimits.maxKept);
    onEnd(pull);
  }

  /** Passes on what the provider says until it says `success`, which is told when the cache has forgotten what was before. */
  async #follow(pull: Pull, ollama: OllamaClient): Promise<void> {
    const { pullTimeoutMs, pullIdleMs } = this.config.ollama;
    const limits = new AbortController();
    const giveUp = (detail: string) => (): void => limits.abort(pullTimedOut(detail));
    const whole = setTimeout(giveUp(`It took longer than ${pullTimeoutMs} ms.`), pullTimeoutMs).unref();
    const idle = setTimeout(giveUp(`The provider said nothing for ${pullIdleMs} ms.`), pullIdleMs).unref();
    try {
      for await (const line of ollama.pull(
        pull.name,
        AbortSignal.any([limits.signal, this.#closing.signal]),
      )) {
        idle.refresh();
        const progress = progressOf(line);
        if (progress && progress.status !== 'success') pull.tell(progress);
      }
    } finally {
      clearTimeout(whole);
      clearTimeout(idle);
    }
  }

  /** The model is there whatever becomes of this: a list that is not told keeps its life. */
  async #forget(name: string): Promise<void> {
    try {
      await this.cache.invalidateTags(tagsOfPull(name));
    } catch (error) {
      this.#log.error(
        `${name} has been pulled, and the cached models could not be invalidated: ${String(error)}`,
      );
    }
  }
}

/** What watchers are told; what only the log understands is not in it. */
function problemOfPull(error: unknown): ProblemException {
  if (error instanceof ProblemException) return error;
  if (error instanceof OllamaError) return problemOf(error.fault);
  return new ProblemException(500, 'INTERNAL_ERROR', 'Internal error', 'Something went wrong here.');
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message + causeOf(error) : String(error);
}
