import type { z } from 'zod';
import { showShape, tagsShape, versionShape, type OllamaModel, type OllamaShown } from './ollama-shapes';

/** Why Ollama gave no usable answer. */
export type OllamaFault = 'unreachable' | 'timeout' | 'status' | 'too_large' | 'malformed';

/** No usable answer of Ollama. The message is for the log; callers of the API get a text of their own. */
export class OllamaError extends Error {
  constructor(
    readonly fault: OllamaFault,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'OllamaError';
  }
}

export interface OllamaLimits {
  /** Whole exchange, headers and body, in milliseconds. */
  timeoutMs: number;
  /** Bytes of a body after decompression. */
  maxBytes: number;
}

export const ollamaLimits: Readonly<OllamaLimits> = Object.freeze({
  timeoutMs: 2_000,
  maxBytes: 8 * 1_024 * 1_024,
});

/** Ollama's HTTP API (github.com/ollama/ollama, docs/api.md), as far as it is read here. */
export class OllamaClient {
  readonly #base: URL;
  readonly #headers: Readonly<Record<string, string>>;

  /** @param url `http(s)://[user:password@]host[:port][/path]` */
  constructor(
    url: string,
    private readonly limits: OllamaLimits = ollamaLimits,
  ) {
    const base = new URL(url);
    const { username, password } = base;
    // `fetch` refuses credentials in a URL.
    base.username = base.password = base.search = base.hash = '';
    if (!base.pathname.endsWith('/')) base.pathname += '/';
    const credentials = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`);
    this.#base = base;
    this.#headers = username === '' ? {} : { Authorization: `Basic ${credentials.toString('base64')}` };
  }

  /**
   * The models that the server has.
   * @throws OllamaError
   */
  async models(): Promise<OllamaModel[]> {
    return (await this.#ask('GET', 'api/tags', tagsShape)).models ?? [];
  }

  /**
   * What the server knows about one model, or null when it has none of that name.
   * @throws OllamaError
   */
  async show(name: string): Promise<OllamaShown | null> {
    return this.#ask('POST', 'api/show', showShape.nullable(), { model: name });
  }

  /**
   * The version of the server: the cheapest question that it answers.
   * @throws OllamaError
   */
  async version(): Promise<string> {
    return (await this.#ask('GET', 'api/version', versionShape)).version;
  }

  /** One exchange. A 404 counts as `null`, which only some shapes allow. */
  async #ask<S extends z.ZodType>(
    method: string,
    path: string,
    shape: S,
    body?: object,
  ): Promise<z.output<S>> {
    const where = `${method} ${path}`;
    const signal = AbortSignal.timeout(this.limits.timeoutMs);
    let answer: unknown;
    try {
      const response = await fetch(new URL(path, this.#base), {
        method,
        headers: {
          Accept: 'application/json',
          ...(body && { 'Content-Type': 'application/json' }),
          ...this.#headers,
        },
        ...(body && { body: JSON.stringify(body) }),
        redirect: 'error',
        signal,
      });
      answer = await this.#read(response, where);
    } catch (error) {
      if (error instanceof OllamaError) throw error;
      if (signal.aborted)
        throw new OllamaError('timeout', `${where} took longer than ${this.limits.timeoutMs} ms`);
      if (error instanceof SyntaxError)
        throw new OllamaError('malformed', `${where} was not answered with JSON`);
      throw new OllamaError('unreachable', `${where} could not be made`, { cause: error });
    }
    const parsed = shape.safeParse(answer);
    if (parsed.success) return parsed.data;
    const places = parsed.error.issues.slice(0, 3).map(({ path: at }) => at.map(String).join('.') || '$');
    throw new OllamaError('malformed', `${where} was answered in another shape, at ${places.join(', ')}`);
  }

  async #read(response: Response, where: string): Promise<unknown> {
    if (!response.ok) {
      // Unread, the body would keep its connection.
      await response.body?.cancel();
      if (response.status === 404) return null;
      throw new OllamaError('status', `${where} was answered with status ${response.status}`);
    }
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of response.body ?? []) {
      bytes += (chunk as Uint8Array).length;
      // Leaving the loop closes the connection.
      if (bytes > this.limits.maxBytes)
        throw new OllamaError(
          'too_large',
          `${where} was answered with more than ${this.limits.maxBytes} bytes`,
        );
      chunks.push(chunk as Uint8Array);
    }
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  }
}
