import type { z } from 'zod';
import { LineTooLongError, linesOf } from './lines';
import {
  pullLineShape,
  showShape,
  tagsShape,
  versionShape,
  type OllamaModel,
  type OllamaPullLine,
  type OllamaShown,
} from './ollama-shapes';

/** Why Ollama gave no usable answer. `unknown_model`: nobody has a model of that name; `failed`: it says that it could not. */
export type OllamaFault =
  'unreachable' | 'timeout' | 'status' | 'too_large' | 'malformed' | 'unknown_model' | 'failed';

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
  /** Bytes of one line of a stream. */
  maxLineBytes: number;
}

export const ollamaLimits: Readonly<OllamaLimits> = Object.freeze({
  timeoutMs: 2_000,
  maxBytes: 8 * 1_024 * 1_024,
  maxLineBytes: 64 * 1_024,
});

/** What Ollama says of a name that its registry does not have; it comes with status 200, after a first line. */
const saysUnknown = /file does not exist|not found/i;
const maxErrorCharacters = 500;

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

  /**
   * Has the server fetch a model: its lines as they come, the last of them `success`. No limit of time of its own: `signal` ends
   * it, and the iteration throws the signal's reason then.
   * @throws OllamaError
   */
  async *pull(name: string, signal: AbortSignal): AsyncGenerator<OllamaPullLine, void, undefined> {
    const where = 'POST api/pull';
    try {
      const response = await this.#send('POST', 'api/pull', signal, { model: name, stream: true });
      if (!response.ok) throw await refused(response, where);
      for await (const text of linesOf(response.body ?? [], this.limits.maxLineBytes)) {
        const line = parsed(pullLineShape, JSON.parse(text), where);
        if (line.error !== null && line.error !== undefined) {
          const said = line.error.slice(0, maxErrorCharacters);
          throw new OllamaError(saysUnknown.test(said) ? 'unknown_model' : 'failed', `${where}: ${said}`);
        }
        yield line;
        if (line.status === 'success') return;
      }
    } catch (error) {
      signal.throwIfAborted();
      throw faultOf(error, where);
    }
    throw new OllamaError('malformed', `${where} ended without success`);
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
      answer = await this.#read(await this.#send(method, path, signal, body), where);
    } catch (error) {
      if (!(error instanceof OllamaError) && signal.aborted)
        throw new OllamaError('timeout', `${where} took longer than ${this.limits.timeoutMs} ms`);
      throw faultOf(error, where);
    }
    return parsed(shape, answer, where);
  }

  #send(method: string, path: string, signal: AbortSignal, body?: object): Promise<Response> {
    return fetch(new URL(path, this.#base), {
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
  }

  async #read(response: Response, where: string): Promise<unknown> {
    if (response.status === 404) {
      await response.body?.cancel();
      return null;
    }
    if (!response.ok) throw await refused(response, where);
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

/** The error of an answer that is none; unread, its body would keep the connection. */
async function refused(response: Response, where: string): Promise<OllamaError> {
  await response.body?.cancel();
  return new OllamaError(
    response.status === 404 ? 'unknown_model' : 'status',
    `${where} was answered with status ${response.status}`,
  );
}

function parsed<S extends z.ZodType>(shape: S, answer: unknown, where: string): z.output<S> {
  const result = shape.safeParse(answer);
  if (result.success) return result.data;
  const places = result.error.issues.slice(0, 3).map(({ path: at }) => at.map(String).join('.') || '$');
  throw new OllamaError('malformed', `${where} was answered in another shape, at ${places.join(', ')}`);
}

/** What went wrong between us and the server, or in what it sent. */
function faultOf(error: unknown, where: string): OllamaError {
  if (error instanceof OllamaError) return error;
  if (error instanceof SyntaxError)
    return new OllamaError('malformed', `${where} was not answered with JSON`);
  if (error instanceof LineTooLongError) return new OllamaError('too_large', `${where}: ${error.message}`);
  return new OllamaError('unreachable', `${where} could not be made`, { cause: error });
}
