import { policies, type LoadControl } from '../../src/cache/core';
import { ModelsService } from '../../src/models/models.service';
import { OllamaClient } from '../../src/models/ollama.client';
import { CacheUnderTest } from '../fakes/cache-under-test';
import { OllamaServer, type OllamaMood } from '../fakes/ollama-server';

const hour = 3_600_000;
let ollama: OllamaServer;
let under: CacheUnderTest;
const limits = { timeoutMs: 300, maxBytes: 1_000_000 };
const service = (url = ollama.url): ModelsService =>
  new ModelsService(new OllamaClient(url, limits), under.cache);

beforeEach(async () => {
  ollama = await OllamaServer.start();
  under = new CacheUnderTest();
});
afterEach(async () => {
  await under.cache.close();
  await ollama.stop();
});

describe('the models of a real provider', () => {
  it('are listed by name with the five fields', async () => {
    const { models, count, provider } = await service().list();
    expect([models.map(({ name }) => name), count, provider]).toEqual([
      ['hf.co/team/coder:Q4_K_M', 'llama3.2:3b', 'tiny:latest'],
      3,
      'ollama',
    ]);
    expect(models[1]).toEqual({
      name: 'llama3.2:3b',
      size_bytes: 2_019_393_189,
      modified_at: '2026-01-02T03:04:05.123Z',
      family: 'llama',
      quantization: 'Q4_K_M',
    });
  });

  it.each([
    ['hf.co/team/coder:Q4_K_M', 'hf.co/team/coder:Q4_K_M'],
    ['tiny', 'tiny:latest'],
  ])('are shown one by one: %s', async (asked, name) => {
    expect(await service().one(asked)).toMatchObject({
      name,
      context_length: 131_072,
      capabilities: ['completion', 'tools'],
      provider: 'ollama',
    });
  });

  it('are asked for by names of the list alone', async () => {
    await expect(service().one('no-such:model')).rejects.toMatchObject({
      status: 404,
      code: 'MODEL_NOT_FOUND',
    });
    expect(ollama.asked).toEqual(['GET /api/tags']);
    await expect(service().one('../api/delete')).rejects.toMatchObject({ status: 404 });
    expect(ollama.asked).toHaveLength(1);
  });

  it('are asked for with the credentials of the URL, which fetch itself refuses', async () => {
    await service(ollama.url.replace('http://', 'http://me:pass%40word@')).list();
    expect(ollama.authorization).toBe(`Basic ${Buffer.from('me:pass@word').toString('base64')}`);
  });

  it.each<[OllamaMood, number, string]>([
    ['error', 502, 'MODELS_BAD_ANSWER'],
    ['garbage', 502, 'MODELS_BAD_ANSWER'],
    ['wrong-shape', 502, 'MODELS_BAD_ANSWER'],
    ['endless', 502, 'MODELS_BAD_ANSWER'],
    ['hang', 503, 'MODELS_UNAVAILABLE'],
    ['cut-off', 503, 'MODELS_UNAVAILABLE'],
  ])('when it answers with %s: %d, soon, and without its text', async (mood, status, code) => {
    ollama.mood = mood;
    const startedAt = performance.now();
    const error = await service()
      .list()
      .then(
        () => undefined,
        (reason: unknown) => reason as Error,
      );
    expect(error).toMatchObject({ status, code });
    expect(error?.message).not.toMatch(/GGML|10\.0\.0\.3|127\.0\.0\.1/);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  it('when nobody listens: 503', async () => {
    const { url } = ollama;
    await ollama.stop();
    await expect(service(url).list()).rejects.toMatchObject({
      status: 503,
      code: 'MODELS_UNAVAILABLE',
    });
  });

  it('without a provider are an empty list that says so', async () => {
    const none = new ModelsService(null, under.cache);
    expect(await none.list()).toEqual({ models: [], count: 0, provider: null });
    await expect(none.one('llama3')).rejects.toMatchObject({ status: 404 });
  });
});

describe('under the policy of models', () => {
  const read = (models: ModelsService) =>
    under.cache.lookup('models:list', (_load: LoadControl) => models.list(), { policy: policies.model });

  it('the last known list is served within the stale window when the provider is away, and not after it', async () => {
    const models = service();
    await read(models);
    ollama.mood = 'error';
    await under.clock.advance(hour + 1);
    const stale = await read(models);
    expect([stale.outcome, stale.value.count]).toEqual(['stale_hit', 3]);
    await under.clock.advance(hour);
    await expect(read(models)).rejects.toMatchObject({ status: 502 });
  });

  it('a model that the provider has lost does not live on as a stale answer', async () => {
    const models = service();
    const one = () =>
      under.cache.lookup('models:one', () => models.one('tiny'), {
        policy: policies.model,
        tags: ['model:tiny'],
      });
    await one();
    ollama.models = [];
    await under.clock.advance(hour + 1);
    const refreshed = new Promise(resolve =>
      under.cache.events.on('load', ({ refresh }) => refresh && resolve(undefined)),
    );
    expect((await one()).outcome).toBe('stale_hit');
    await refreshed;
    await expect(one()).rejects.toMatchObject({ status: 404 });
  });
});
