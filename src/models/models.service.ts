import { Inject, Injectable, Logger } from '@nestjs/common';
import { CacheModelData, TieredCache } from '../cache';
import { keyOfListQuery, modelsCache, tagsOfModel } from './cache';
import { causeOf } from './cause-of';
import {
  type ModelDetailsDto,
  type ModelListDto,
  toModelDetailsDto,
  toModelListDto,
} from './dto/model-response.dto';
import { isModelName, withTag } from './model-name';
import { modelNotFound, problemOf } from './model-problems';
import type { OllamaModel } from './ollama-shapes';
import { OllamaClient, OllamaError, type OllamaFault } from './ollama.client';

/** Between two lists that are read because a model which they name could not be shown, in milliseconds. */
const forgetPauseMs = 5_000;

/** The AI models of the provider, where one is configured. */
@Injectable()
export class ModelsService {
  private readonly log = new Logger('Models');
  private fault: OllamaFault | undefined;
  private forgetsAtMs = 0;

  constructor(
    @Inject(OllamaClient) private readonly ollama: OllamaClient | null,
    private readonly cache: TieredCache,
  ) {}

  /** Whether there is anybody to ask. */
  get isConfigured(): boolean {
    return this.ollama !== null;
  }

  /**
   * The models of the provider as they are now; an empty list with `provider: null` when none is configured. The route is cached.
   * @throws ProblemException 503 when the provider cannot be asked, 502 when its answer is unusable
   */
  async list(): Promise<ModelListDto> {
    const { ollama } = this;
    if (!ollama) return { models: [], count: 0, provider: null };
    const models = await this.answerOf(() => ollama.models());
    // What `one` goes by is older: a model that a list has shown is found by its name. When the provider is away that stays as it is.
    await this.cache.invalidateKeys([keyOfListQuery]);
    return toModelListDto(models);
  }

  /**
   * One model, by its name; without a tag the latest. Which there are says the list that was read last: whatever names are made up,
   * the provider is not asked while that is kept.
   * @throws ProblemException 404, and as `list`
   */
  async one(name: string): Promise<ModelDetailsDto> {
    const { ollama } = this;
    if (!ollama || !isModelName(name)) throw modelNotFound();
    const wanted = withTag(name);
    const model = (await this.listed()).find(known => withTag(known.name) === wanted);
    const shown = model ? await this.answerOf(() => ollama.show(model.name)) : null;
    if (model && shown) return toModelDetailsDto(model, shown);
    if (model) await this.forgetList();
    // A failed refresh keeps the stale answer; a model that is gone must not live on in it.
    if (this.cache.purpose === 'refresh') await this.cache.invalidateTags(tagsOfModel(name));
    throw modelNotFound();
  }

  /** @throws ProblemException as `list`; TypeError when none is configured */
  @CacheModelData(modelsCache.listQuery)
  async listed(): Promise<readonly OllamaModel[]> {
    const { ollama } = this;
    if (!ollama) throw noneConfigured();
    return this.answerOf(() => ollama.models());
  }

  /**
   * Asks the provider for a sign of life; milliseconds that it took.
   * @throws OllamaError; TypeError when none is configured
   */
  async ping(): Promise<number> {
    if (!this.ollama) throw noneConfigured();
    const startedAt = performance.now();
    await this.ollama.version();
    return performance.now() - startedAt;
  }

  private async answerOf<T>(ask: () => Promise<T>): Promise<T> {
    try {
      const answer = await ask();
      this.report(undefined);
      return answer;
    } catch (error) {
      if (!(error instanceof OllamaError)) throw error;
      this.report(error);
      throw problemOf(error.fault);
    }
  }

  /**
   * A model is gone since it was listed: the next list says so, for every further request. Unless it is listed and cannot be shown,
   * which a list read anew does not change: so not for each request.
   */
  private async forgetList(): Promise<void> {
    const nowMs = performance.now();
    if (nowMs < this.forgetsAtMs) return;
    this.forgetsAtMs = nowMs + forgetPauseMs;
    await this.cache.invalidateKeys([keyOfListQuery]);
  }

  /** One line for each change of state, not for each request. */
  private report(error: OllamaError | undefined): void {
    if (error?.fault === this.fault) return;
    this.fault = error?.fault;
    if (error) this.log.warn(`the provider gave no usable answer: ${error.message}${causeOf(error)}`);
    else this.log.log('the provider answers again');
  }
}

function noneConfigured(): TypeError {
  return new TypeError('no provider is configured: look at isConfigured before asking it');
}
