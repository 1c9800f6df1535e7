/** A server that speaks Ollama's API, real or not. */
export interface OllamaBackend {
  readonly url: string;
  /** A model that it has, or that it may pull: a small one. */
  readonly model: string;
  stop(): Promise<void>;
}

interface Line {
  status?: string;
  digest?: string;
  total?: number;
  completed?: number;
  error?: string;
}

const unknownModel = 'no-such-model-of-anybody:none';

/**
 * What we rely on of Ollama's API (github.com/ollama/ollama, docs/api.md; the error in a stream is not in that page but in
 * server/routes.go). The same for a real server: `OLLAMA_CONTRACT_URL=http://127.0.0.1:11434 npx jest test/contracts/ollama`.
 */
export function ollamaContract(start: () => Promise<OllamaBackend>): void {
  let backend: OllamaBackend;
  const longMs = 300_000;
  beforeAll(async () => {
    backend = await start();
  });
  afterAll(() => backend.stop());

  const ask = (path: string, body?: object, signal?: AbortSignal): Promise<Response> =>
    fetch(backend.url + path, {
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
      ...(signal && { signal }),
    });
  const pull = async (model: string): Promise<{ response: Response; lines: Line[] }> => {
    const response = await ask('/api/pull', { model });
    const lines = (await response.text()).split('\n').filter(text => text !== '');
    return { response, lines: lines.map(text => JSON.parse(text) as Line) };
  };
  const names = async (): Promise<string[]> => {
    const { models } = (await (await ask('/api/tags')).json()) as { models: { name: string }[] };
    return models.map(({ name }) => name);
  };

  it('tells its version', async () => {
    expect(await (await ask('/api/version')).json()).toEqual({ version: expect.any(String) });
  });

  it(
    'pulls a model in lines of JSON that begin with the manifest, tell of layers, and end with success; then it is in the list',
    async () => {
      const { response, lines } = await pull(backend.model);
      expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/x-ndjson']);
      expect([lines[0]?.status, lines.at(-1)?.status]).toEqual(['pulling manifest', 'success']);
      const ofLayers = lines.filter(({ digest }) => digest !== undefined);
      expect(ofLayers.length).toBeGreaterThan(0);
      for (const { digest, total, completed = 0 } of ofLayers) {
        expect(digest).toMatch(/^sha256:/);
        expect(total).toBeGreaterThanOrEqual(completed);
      }
      expect(await names()).toContain(backend.model);
    },
    longMs,
  );

  it('lists its models with sizes, times and details', async () => {
    const { models } = (await (await ask('/api/tags')).json()) as { models: object[] };
    for (const model of models)
      expect(model).toMatchObject({
        name: expect.any(String),
        modified_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        size: expect.any(Number),
        digest: expect.any(String),
        details: { format: expect.any(String), family: expect.any(String) },
      });
  });

  it('shows a model that it has, and says 404 with an error for another', async () => {
    const shown = await ask('/api/show', { model: backend.model });
    expect(await shown.json()).toMatchObject({
      details: { family: expect.any(String) },
      model_info: expect.any(Object),
      capabilities: expect.any(Array),
    });
    const unknown = await ask('/api/show', { model: unknownModel });
    expect([unknown.status, await unknown.json()]).toEqual([404, { error: expect.any(String) }]);
  });

  it(
    'says that nobody has a model in a line of a 200, after the first',
    async () => {
      const { response, lines } = await pull(unknownModel);
      expect(response.status).toBe(200);
      expect(lines.at(-1)).toEqual({ error: expect.stringMatching(/file does not exist|not found/i) });
    },
    longMs,
  );

  it('refuses what is no name with 400 and an error', async () => {
    const response = await ask('/api/pull', { model: 'a b' });
    expect([response.status, await response.json()]).toEqual([400, { error: expect.any(String) }]);
  });

  it(
    'pulls again what a client has left in the middle',
    async () => {
      const leaving = new AbortController();
      const response = await ask('/api/pull', { model: backend.model }, leaving.signal);
      await response.body!.getReader().read();
      leaving.abort();
      expect((await pull(backend.model)).lines.at(-1)?.status).toBe('success');
    },
    longMs,
  );
}
