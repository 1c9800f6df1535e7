import { CliError, exitCodes } from './exit-codes';

interface Problem {
  readonly code?: string;
  readonly title?: string;
  readonly detail?: string;
  readonly errors?: readonly { readonly path?: string; readonly message?: string }[];
}

/** An answer that was not an error. */
export interface ApiAnswer<T> {
  readonly status: number;
  readonly body: T;
}

/** Requests to a running backend; what goes wrong is said in one or two lines. */
export class ApiClient {
  /** @param timeoutMs for one answer, not for a job */
  constructor(
    private readonly url: URL,
    private readonly key: string | undefined,
    private readonly timeoutMs: number,
  ) {}

  /** @throws CliError */
  async get<T>(path: string): Promise<T> {
    return (await this.send<T>('GET', path)).body;
  }

  /** @throws CliError */
  post<T>(path: string, body?: unknown): Promise<ApiAnswer<T>> {
    return this.send<T>('POST', path, body);
  }

  /** @throws CliError */
  async delete<T>(path: string): Promise<T> {
    return (await this.send<T>('DELETE', path)).body;
  }

  private async send<T>(method: string, path: string, body?: unknown): Promise<ApiAnswer<T>> {
    let response: Response;
    let text: string;
    try {
      response = await fetch(new URL(`/api/v1${path}`, this.url), {
        method,
        headers: {
          Accept: 'application/json',
          ...(this.key !== undefined && { Authorization: `Bearer ${this.key}` }),
          ...(body !== undefined && { 'Content-Type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(this.timeoutMs),
      });
      text = await response.text();
    } catch (error) {
      throw new CliError(
        `No answer from ${this.url.origin}: ${reasonOf(error)}.\nIs the backend running there? Another address: --url or SUTAZAI_URL.`,
        exitCodes.unreachable,
        'UNREACHABLE',
      );
    }
    const answer = parsed(text);
    if (response.ok && answer !== undefined) return { status: response.status, body: answer as T };
    if (response.ok)
      throw new CliError(
        `What answers at ${this.url.origin} is not this backend (${response.headers.get('content-type') ?? 'no content type'}).`,
        exitCodes.unreachable,
        'NOT_THE_BACKEND',
      );
    throw this.errorOf(response, answer ?? {});
  }

  private errorOf(
    { status, headers }: Response,
    { code = `HTTP_${status}`, title, detail, errors = [] }: Problem,
  ): CliError {
    const lines = [`${title ?? `HTTP ${status}`} (${code})${detail === undefined ? '' : `: ${detail}`}`];
    for (const { path, message } of errors) lines.push(`  ${[path, message].filter(Boolean).join(': ')}`);
    const isRefused = status === 401 || status === 403 || code === 'ADMIN_DISABLED';
    if (isRefused)
      lines.push(
        this.key === undefined
          ? 'Give a key in SUTAZAI_API_KEY, or in a file with --key-file.'
          : 'The key that was given does not do: see ADMIN_API_KEYS, and the scopes of the key.',
      );
    const exitCode = isRefused ? exitCodes.refused : status === 400 ? exitCodes.usage : exitCodes.failed;
    return new CliError(lines.join('\n'), exitCode, code, status === 429 ? retryAfterMs(headers) : undefined);
  }
}

function retryAfterMs(headers: Headers): number | undefined {
  const seconds = Number(headers.get('retry-after') ?? NaN);
  return seconds >= 0 && seconds <= 3_600 ? Math.max(1_000 * seconds, 100) : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'it takes too long';
  const { cause } = error as { cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? error.message;
}
