import { OllamaServer } from '../fakes/ollama-server';
import { Application } from './harness/application';

describe('the models', () => {
  let ollama: OllamaServer;
  let app: Application;
  beforeAll(async () => {
    ollama = await OllamaServer.start();
    app = await Application.start({ OLLAMA_URL: ollama.url });
  });
  afterAll(async () => {
    await app.stop();
    await ollama.stop();
  });

  it('answer 502 or 503 as a problem when the provider fails and nothing is cached', async () => {
    ollama.mood = 'error';
    expect(await app.get('/api/v1/models')).toMatchObject({
      status: 502,
      body: { code: 'MODELS_BAD_ANSWER' },
    });
    ollama.mood = 'hang';
    const answer = await app.get('/api/v1/models');
    expect(answer).toMatchObject({ status: 503, body: { code: 'MODELS_UNAVAILABLE' } });
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    ollama.mood = 'well';
  });

  it('are listed, the second time without asking the provider', async () => {
    const { body, headers } = await app.get<{ models: object[]; count: number; provider: string }>(
      '/api/v1/models',
    );
    expect([body.models.length, body.count, body.provider]).toEqual([3, 3, 'ollama']);
    expect(headers.get('cache-control')).toContain('max-age=3600');
    const asked = ollama.asked.length;
    expect((await app.get('/api/v1/models')).headers.get('cache-status')).toMatch(/^sutazai; hit/);
    expect(ollama.asked).toHaveLength(asked);
  });

  it.each([
    'llama3.2:3b',
    'hf.co/team/coder:Q4_K_M',
    'hf.co%2Fteam%2Fcoder:Q4_K_M',
    'hf.co%2Fteam%2Fcoder%3AQ4_K_M',
  ])('are shown by names with colons and slashes: %s', async name => {
    expect((await app.get(`/api/v1/models/${name}`)).body).toMatchObject({
      name: decodeURIComponent(name),
      family: 'llama',
      context_length: 131_072,
    });
    expect((await app.get(`/api/v1/models/${name}`)).headers.get('cache-status')).toMatch(/^sutazai; hit/);
  });

  it.each(['no-such', 'a/b/c:d', '..%2f..%2fapi%2fdelete', 'x%00y'])(
    'that are not there are 404: %s',
    async name => {
      expect(await app.get(`/api/v1/models/${name}`)).toMatchObject({
        status: 404,
        body: { code: 'MODEL_NOT_FOUND' },
      });
    },
  );

  it('are loaded again after invalidate ["models"], and one of them after its own tag', async () => {
    ollama.models = [...ollama.models, 'new:1b'];
    expect((await app.get('/api/v1/models')).body['count']).toBe(3);
    expect((await app.post('/api/v1/cache/invalidate', ['models'])).status).toBe(200);
    expect((await app.get('/api/v1/models')).body['count']).toBe(4);
    const path = '/api/v1/models/llama3.2:3b';
    await app.get(path);
    await app.post('/api/v1/cache/invalidate', ['model:llama3.2:3b']);
    expect((await app.get(path)).headers.get('cache-status')).toContain('fwd=');
    expect((await app.get('/api/v1/models')).headers.get('cache-status')).toMatch(/^sutazai; hit/);
  });

  it('are served from the cache while the provider is away', async () => {
    await app.get('/api/v1/models');
    ollama.mood = 'error';
    expect((await app.get('/api/v1/models')).status).toBe(200);
    expect((await app.post('/api/v1/cache/warm', { categories: ['models'] })).status).toBe(200);
    await app.post('/api/v1/cache/invalidate', ['models']);
    expect((await app.post('/api/v1/cache/warm', { categories: ['models'] })).status).toBeGreaterThanOrEqual(
      400,
    );
    ollama.mood = 'well';
  });
});

describe('without a provider', () => {
  it('the list of models is empty and says so, and no model is there', async () => {
    const app = await Application.start();
    expect((await app.get('/api/v1/models')).body).toEqual({ models: [], count: 0, provider: null });
    expect((await app.get('/api/v1/models/llama3')).status).toBe(404);
    await app.stop();
  });
});
