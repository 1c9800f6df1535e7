import { Inject, Injectable, Logger } from '@nestjs/common';
import { TieredCache } from '../cache';
import { tagsOfModel } from './cache';
import { causeOf } from './cause-of';
import {
  type ModelDetailsDto,
  type ModelListDto,
  toModelDetailsDto,
  toModelListDto,
} from './dto/model-response.dto';
import { isModelName, withTag } from './model-name';
import { modelNotFound, problemOf } from './model-problems';
import { OllamaClient, OllamaError, type OllamaFault } from './ollama.client';

/** The AI models of the provider, where one is configured. Each call asks it; the routes are cached. */
@Injectable()
export class ModelsService {
  private readonly log = new Logger('Models');
  private fault: OllamaFault | undefined;

  constructor(
    @Inject(OllamaClient) private readonly ollama: OllamaClient | null,
    private readonly cache: TieredCache,
  ) {}

  /** Whether there is anybody to ask. */
  get isConfigured(): boolean {
    return this.ollama !== null;
  }

  /**
   * The models of the provider; an empty list with `provider: null` when none is configured.
   * @throws ProblemException 503 when the provider cannot be asked, 502 when its answer is unusable
   */
  async list(): Promise<ModelListDto> {
    const { ollama } = this;
    if (!ollama) return { models: [], count: 0, provider: null };
    return toModelListDto(await this.answerOf(() => ollama.models()));
  }

  /**
   * One model, by its name; without a tag the latest.
   * @throws ProblemException 404, and as `list`
   */
  async one(name: string): Promise<ModelDetailsDto> {
    const { ollama } = this;
    if (!ollama || !isModelName(name)) throw modelNotFound();
    // Only names from its own list are sent on, so that made-up ones cost the provider no more than the list.
    const wanted = withTag(name);
    const model = (await this.answerOf(() => ollama.models())).find(known => withTag(known.name) === wanted);
    const shown = model ? await this.answerOf(() => ollama.show(model.name)) : null;
    if (model && shown) return toModelDetailsDto(model, shown);
    // A failed refresh keeps the stale answer; a model that is gone must not live on in it.
    if (this.cache.purpose === 'refresh') await this.cache.invalidateTags(tagsOfModel(name));
    throw modelNotFound();
  }

  /**
   * Asks the provider for a sign of life; milliseconds that it took.
   * @throws OllamaError; TypeError when none is configured
   */
  async ping(): Promise<number> {
    if (!this.ollama) throw new TypeError('no provider is configured: look at isConfigured before asking it');
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

  /** One line for each change of state, not for each request. */
  private report(error: OllamaError | undefined): void {
    if (error?.fault === this.fault) return;
    this.fault = error?.fault;
    if (error) this.log.warn(`the provider gave no usable answer: ${error.message}${causeOf(error)}`);
    else this.log.log('the provider answers again');
  }
}
