#!/usr/bin/env node
import { CommanderError } from 'commander';
import { CliError, exitCodes } from './exit-codes';
import { program } from './program';

async function main(): Promise<void> {
  const cli = program();
  for (const command of [cli, ...cli.commands]) command.exitOverride();
  try {
    await cli.parseAsync();
  } catch (error) {
    process.exitCode = ended(error, cli.opts<{ json?: boolean }>().json === true);
  }
}

/** Says what went wrong, and gives the code to end with. */
function ended(error: unknown, json: boolean): number {
  // What is wrong with the command line has been said by then; help is no error.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  if (!(error instanceof CliError)) throw error;
  process.stderr.write(
    json
      ? `${JSON.stringify({ error: { code: error.code, message: error.message } })}\n`
      : `${error.message}\n`,
  );
  return error.exitCode;
}

// A reader that has gone, as in `… | head`, wants no more.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
void main();
