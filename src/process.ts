import type { INestApplicationContext } from '@nestjs/common';
import type { Logger } from 'nestjs-pino';
import { ConfigError } from './config/load-config';
import { DataDirInUseError } from './database/database-errors';
import { describeError } from './logging';

const closeLimitMs = 4_500;
/** One Ctrl-C arrives twice, from the terminal and from `npm start`. */
const samePressMs = 500;

/**
 * Closes the application on the first SIGTERM, SIGINT or SIGHUP and ends with 0; on the second, or when closing takes
 * longer than 4.5 s, ends at once with 1.
 */
export function closeOnSignals(app: INestApplicationContext): void {
  let closingSince: number | undefined;
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (closingSince !== undefined && performance.now() - closingSince < samePressMs) return;
      if (closingSince !== undefined) process.exit(1);
      closingSince = performance.now();
      const late = setTimeout(
        () => endWith(1, [`stopping took longer than ${closeLimitMs} ms`]),
        closeLimitMs,
      );
      late.unref();
      app.close().then(
        () => process.exit(0),
        (error: unknown) => endWith(1, [`stopping failed: ${JSON.stringify(describeError(error))}`]),
      );
    });
  }
}

/** Says in as few lines as possible why the application did not start, and ends with 1. */
export function explainFailedStart(error: unknown): void {
  const { code, port, address = '' } = error as { code?: unknown; port?: number; address?: string };
  if (error instanceof ConfigError || error instanceof DataDirInUseError) return endWith(1, [error.message]);
  if (code === 'EADDRINUSE')
    return endWith(1, [`Port ${port} on ${address} is in use by another program: stop it or set PORT.`]);
  if (code === 'EACCES' && port !== undefined)
    return endWith(1, [`Port ${port} needs more rights than this user has: set PORT to 1024 or more.`]);
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return endWith(1, [`HOST ${address} is not an address of this machine.`]);
  endWith(1, [`The application did not start: ${JSON.stringify(describeError(error), undefined, 2)}`]);
}

/** Writes lines for a person at a terminal; where the output is collected they go to the structured log, so that it stays one. */
export function printLines(lines: readonly string[], log: Logger): void {
  if (process.env['NODE_ENV'] === 'production') for (const line of lines) log.log(line, 'Start');
  else process.stdout.write(`${lines.join('\n')}\n`);
}

function endWith(code: number, lines: readonly string[]): void {
  process.stderr.write(`${lines.join('\n')}\n`, () => process.exit(code));
}
