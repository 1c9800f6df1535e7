import { Logger } from '@nestjs/common';
import { policies, type LoadControl } from '../../src/cache/core';
import { AppConfig, settingsSchema } from '../../src/config/app-config';
import { ModelPulls, pullLimits } from '../../src/models/model-pulls';
import type { Pull } from '../../src/models/pull';
import type { PullProgress } from '../../src/models/pull-progress';
import { ModelsService } from '../../src/models/models.service';
import { OllamaClient } from '../../src/models/ollama.client';
import { CacheUnderTest } from '../fakes/cache-under-test';
import type { PullMood } from '../fakes/ollama-pulls';
import { OllamaServer, type OllamaMood } from '../fakes/ollama-server';

Logger.overrideLogger(false);
const hour = 3_600_000;
let ollama: OllamaServer;
let under: CacheUnderTest;
const limits = { timeoutMs: 300, maxBytes: 1_000_000, maxLineBytes: 10_000 };
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

describe('a pull', () => {
  const pullsOf = (ollama: Partial<AppConfig['ollama']> = {}, url?: string): ModelPulls => {
    const defaults = settingsSchema.parse({});
    const config = new AppConfig({ ...defaults, ollama: { ...defaults.ollama, ...ollama } });
    return (pulls = new ModelPulls(new OllamaClient(url ?? server().url, limits), under.cache, config));
  };
  const server = (): OllamaServer => ollama;
  let pulls: ModelPulls;
  afterEach(() => pulls.onModuleDestroy());

  /** All that one watcher gets until the end. */
  const follow = async (pull: Pull): Promise<PullProgress[]> => {
    const lines: PullProgress[] = [];
    for await (const progress of pull.watch()) lines.push(progress);
    return lines;
  };
  const problemOf = (pull: Pull): unknown =>
    pull.state.kind === 'failed' ? [pull.state.problem.status, pull.state.problem.code] : pull.state.kind;
  const held = async (pull: Pull): Promise<void> => {
    for await (const { completed } of pull.watch()) if (completed === 500) return;
  };

  it('passes on every step, and ends when what was cached before it is forgotten', async () => {
    const listed = (): Promise<number> =>
      under.cache
        .lookup('models:list', () => service().list(), { policy: policies.model })
        .then(({ value }) => value.count);
    expect(await listed()).toBe(3);
    const { pull, joined } = pullsOf().start('new:1b');
    const statuses = new Set((await follow(pull)).map(({ status }) => status));
    expect([...statuses]).toEqual([
      'pulling manifest',
      'pulling dde5aa3fc5ff',
      'verifying sha256 digest',
      'writing manifest',
    ]);
    expect([joined, pull.state.kind, pull.watchers, await listed()]).toEqual([false, 'done', 0, 4]);
  });

  it('is joined by who asks for the same model, with or without the tag, and asked for once', async () => {
    const release = ollama.pulls.hold();
    const [first, second] = [pullsOf().start('tiny'), pulls.start('tiny:latest')];
    expect([second.pull, second.joined]).toEqual([first.pull, true]);
    await held(first.pull);
    const late = pulls.start('tiny').pull.watch();
    expect((await late.next()).value).toMatchObject({ completed: 500 });
    release();
    expect((await follow(first.pull)).at(-1)?.status).toBe('writing manifest');
    expect(ollama.asked).toEqual(['POST /api/pull']);
  });

  it('goes on when nobody watches any more', async () => {
    const release = ollama.pulls.hold();
    const { pull } = pullsOf().start('new:1b');
    await held(pull);
    expect([pull.watchers, ollama.pulls.underWay]).toEqual([0, 1]);
    release();
    await follow(pull);
    expect([pull.state.kind, ollama.pulls.abandoned]).toEqual(['done', 0]);
  });

  it('is one of so many at once, and watched by so many', async () => {
    const release = ollama.pulls.hold();
    const { pull } = pullsOf({ maxPulls: 1 }).start('new:1b');
    expect(() => pulls.start('other:1b')).toThrow(
      expect.objectContaining({ status: 429, code: 'MODEL_PULLS_TOO_MANY' }),
    );
    const watches = Array.from({ length: pullLimits.maxWatchers }, () => pulls.start('new:1b').pull.watch());
    expect(() => pulls.start('new:1b')).toThrow(expect.objectContaining({ status: 429 }));
    await watches[0]!.return();
    expect(pulls.start('new:1b').pull).toBe(pull);
    release();
    await follow(pull);
    await follow(pulls.start('other:1b').pull);
    expect(pulls.all().map(({ name }) => name)).toEqual(['other:1b', 'new:1b']);
  });

  it('is remembered among the last twenty', async () => {
    pullsOf();
    for (let round = 0; round < 22; round += 1) await follow(pulls.start('new:1b').pull);
    expect(pulls.all()).toHaveLength(pullLimits.maxKept);
  });

  it.each<[PullMood, number, string]>([
    ['error', 502, 'MODELS_BAD_ANSWER'],
    ['silent', 503, 'MODEL_PULL_TIMEOUT'],
    ['hang', 503, 'MODEL_PULL_TIMEOUT'],
    ['cut-off', 503, 'MODELS_UNAVAILABLE'],
    ['malformed-line', 502, 'MODELS_BAD_ANSWER'],
    ['wrong-shape', 502, 'MODELS_BAD_ANSWER'],
    ['huge-line', 502, 'MODELS_BAD_ANSWER'],
    ['error-line', 502, 'MODEL_PULL_FAILED'],
    ['ends-early', 502, 'MODELS_BAD_ANSWER'],
  ])(
    'that goes wrong with %s fails as %d %s, without the text of the provider',
    async (mood, status, code) => {
      ollama.pulls.mood = mood;
      const { pull } = pullsOf({ pullIdleMs: 150 }).start('new:1b');
      await follow(pull);
      expect(problemOf(pull)).toEqual([status, code]);
      expect(JSON.stringify(pull.state)).not.toMatch(/10\.0\.0\.3|127\.0\.0\.1|permission/);
    },
  );

  it('of what the registry does not have is 404, and of a provider that is away 503', async () => {
    const unknown = pullsOf().start('no-such:model').pull;
    await unknown.found;
    expect(problemOf(unknown)).toEqual([404, 'MODEL_NOT_FOUND']);
    await ollama.stop();
    const away = pulls.start('new:1b').pull;
    await away.found;
    expect(problemOf(away)).toEqual([503, 'MODELS_UNAVAILABLE']);
  });

  it('that takes too long in all is given up, though the provider says something', async () => {
    ollama.pulls.hold();
    const { pull } = pullsOf({ pullTimeoutMs: 200 }).start('new:1b');
    await follow(pull);
    expect(problemOf(pull)).toEqual([503, 'MODEL_PULL_TIMEOUT']);
  });

  it('ends with the application, which waits for it, and none begins afterwards', async () => {
    ollama.pulls.hold();
    const { pull } = pullsOf().start('new:1b');
    await held(pull);
    await pulls.onModuleDestroy();
    expect(problemOf(pull)).toEqual([503, 'MODEL_PULL_ABORTED']);
    expect(() => pulls.start('new:1b')).toThrow(expect.objectContaining({ code: 'MODEL_PULL_ABORTED' }));
  });

  it('of a name with a host is refused, unless the host is listed', async () => {
    const refused = expect.objectContaining({ status: 400, code: 'MODEL_HOST_REFUSED' }) as Error;
    const asked = ollama.asked.length;
    for (const name of ['10.0.0.1:8080/team/model', 'localhost/team/model', 'hf.co:8080/team/model'])
      expect(() => pullsOf().start(name)).toThrow(refused);
    expect(() => pullsOf({ pullHosts: [] }).start('hf.co/team/model')).toThrow(refused);
    expect(ollama.asked).toHaveLength(asked);
    for (const [hosts, name] of [
      [undefined, 'HF.co/team/model'],
      [['registry:5000'], 'registry:5000/team/model'],
      [[], 'team/model'],
    ] as const) {
      const { pull } = pullsOf(hosts && { pullHosts: hosts }).start(name);
      await follow(pull);
      expect(ollama.asked.at(-1)).toBe('POST /api/pull');
    }
  });

  it('needs a provider', () => {
    pulls = new ModelPulls(null, under.cache, new AppConfig(settingsSchema.parse({})));
    expect(() => pulls.start('new:1b')).toThrow(
      expect.objectContaining({ status: 503, code: 'MODELS_NO_PROVIDER' }),
    );
  });
});
