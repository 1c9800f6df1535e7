import { readFileSync } from 'node:fs';
import { ApiClient } from './api-client';
import { CliError, exitCodes } from './exit-codes';
import { Terminal } from './terminal';

/** What every command takes. */
export interface GlobalOptions {
  readonly url: string;
  readonly keyFile?: string;
  readonly json?: boolean;
  /** Seconds. */
  readonly timeout: number;
}

/** One run of the program. */
export interface Session {
  readonly api: ApiClient;
  readonly terminal: Terminal;
  /** Only JSON on stdout. */
  readonly json: boolean;
}

/** @throws CliError when the address or the file of the key is no good */
export function openSession(options: GlobalOptions, env: NodeJS.ProcessEnv): Session {
  return {
    api: new ApiClient(addressOf(options.url), keyOf(options.keyFile, env), options.timeout * 1_000),
    terminal: new Terminal(process.stdout, process.stderr),
    json: options.json === true,
  };
}

function addressOf(text: string): URL {
  let url: URL | undefined;
  try {
    url = new URL(text);
  } catch {
    // Said below.
  }
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw new CliError(
      `--url must be an http or https address, not ${JSON.stringify(text)}`,
      exitCodes.usage,
    );
  if (url.username || url.password)
    throw new CliError(
      '--url takes no user and password: the key goes into SUTAZAI_API_KEY',
      exitCodes.usage,
    );
  return url;
}

/** From a file or the environment; never from the command line, which everybody on the machine can read. */
function keyOf(file: string | undefined, env: NodeJS.ProcessEnv): string | undefined {
  if (file === undefined) return checked(env['SUTAZAI_API_KEY']?.trim() || undefined, 'SUTAZAI_API_KEY');
  let key: string;
  try {
    key = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new CliError(`--key-file: ${(error as Error).message}`, exitCodes.usage);
  }
  if (key === '') throw new CliError(`--key-file: ${file} is empty`, exitCodes.usage);
  return checked(key, `--key-file: ${file}`);
}

/** What cannot stand in a header is refused here: whoever refuses it later says what it was, and it is a secret. */
function checked(key: string | undefined, where: string): string | undefined {
  if (key === undefined || /^[\x21-\x7e]+$/.test(key)) return key;
  throw new CliError(`${where} must be one key, of visible ASCII characters without spaces`, exitCodes.usage);
}
