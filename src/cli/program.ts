import { setTimeout as wait } from 'node:timers/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { showDiagnosis, showFamilies, type Diagnosis } from './doctor-view';
import { CliError, exitCodes } from './exit-codes';
import { showExplanation, type Explanation } from './explanation-view';
import { clear, warm } from './jobs';
import { openSession, type GlobalOptions, type Session } from './session';
import { showStatistics, type Statistics } from './statistics-view';
import { duration, percent } from './terminal';

interface Policy {
  readonly name: string;
  readonly tier: string;
  readonly ttl_ms: number;
  readonly stale_ms: number;
  readonly negative_ttl_ms: number;
  readonly jitter: number;
  readonly refresh_ahead_fraction: number;
  readonly tags: readonly string[];
}

const maxTop = 50;

/** All commands. Each action gets an open session. */
export function program(env: NodeJS.ProcessEnv = process.env): Command {
  const cli = new Command('sutazai-cache')
    .description('Looks at and operates the cache of a running SutazAI backend.')
    .addOption(
      new Option('--url <address>', 'address of an instance')
        .env('SUTAZAI_URL')
        .default('http://127.0.0.1:10010'),
    )
    .option('--key-file <file>', 'file with an API key (otherwise SUTAZAI_API_KEY)')
    .option('--timeout <seconds>', 'wait so long for an answer', wholeNumber(1, 3_600), 10)
    .option('--json', 'JSON instead of tables, for programs')
    .configureHelp({ sortSubcommands: false, showGlobalOptions: true })
    .showHelpAfterError('(sutazai-cache help shows what there is)')
    .addHelpText(
      'after',
      `
Without a key, admin commands work on the machine of the backend itself, unless keys are configured there.

Exit codes: 0 done, 1 failed, 2 wrong command line, 3 no answer, 4 no or wrong key, 5 queued because Redis is away.

Examples:
  $ sutazai-cache stats --window 5m --scope fleet
  $ sutazai-cache doctor
  $ sutazai-cache clear 'agents:*' --dry-run
  $ sutazai-cache invalidate --tag agents --tag models
  $ SUTAZAI_API_KEY=… sutazai-cache warm --category models`,
    );
  const open = (): Session => openSession(cli.opts<GlobalOptions>(), env);

  cli
    .command('stats')
    .description('hit rates, by policy; where answers and misses come from')
    .addOption(
      new Option('--window <time>', 'what was counted in').choices(['1m', '5m', '1h', 'all']).default('all'),
    )
    .addOption(
      new Option('--scope <which>', 'this instance, or all on its Redis')
        .choices(['instance', 'fleet'])
        .default('instance'),
    )
    .option('--watch [seconds]', 'again and again', wholeNumber(1, 3_600))
    .action((options: { window: string; scope: string; watch?: number | true }) => stats(open(), options));

  cli
    .command('doctor')
    .description('why the hit rate is what it is, and what would help by how much')
    .action(async () => {
      const { api, terminal, json } = open();
      const diagnosis = await api.get<Diagnosis>('/cache/doctor');
      if (json) terminal.json(diagnosis);
      else showDiagnosis(terminal, diagnosis);
    });

  cli
    .command('top')
    .description('the routes, methods and families of keys that are read, or missed, most')
    .addOption(new Option('--by <what>', 'which order').choices(['reads', 'misses', 'keys']).default('reads'))
    .option('--limit <number>', 'so many', wholeNumber(1, maxTop), 10)
    .action((options: { by: string; limit: number }) => top(open(), options));

  cli
    .command('explain')
    .argument('<key>', 'a key as stats and doctor name it, such as settings:all')
    .description('where an entry lives, how long, and whether its tags are valid')
    .action(async (key: string) => {
      const { api, terminal, json } = open();
      const explanation = await api.get<Explanation>(`/cache/entries/${encodeURIComponent(key)}`);
      if (json) terminal.json(explanation);
      else showExplanation(terminal, explanation);
    });

  cli
    .command('warm')
    .description('load what is declared to be warmed, and what users read most')
    .option('--category <name>', 'only this category; may be repeated', collected, [])
    .option('--job <name>', 'only this job; may be repeated', collected, [])
    .option('--dry-run', 'say what would be loaded, and load nothing')
    .action((options: { category: string[]; job: string[]; dryRun?: boolean }) =>
      warm(open(), { categories: options.category, jobs: options.job, dryRun: options.dryRun === true }),
    );

  cli
    .command('clear')
    .argument('<pattern>', "keys to remove, such as 'agents:*'; '*' is everything")
    .description('remove what matches a pattern, with a bar')
    .option('--dry-run', 'say how much matches, and remove nothing')
    .option('-y, --yes', 'do not ask')
    .action((pattern: string, options: { dryRun?: boolean; yes?: boolean }) =>
      clear(open(), { pattern, dryRun: options.dryRun === true, yes: options.yes === true }),
    );

  cli
    .command('invalidate')
    .description('invalidate tags and keys')
    .option('--tag <tag>', 'may be repeated', collected, [])
    .option('--key <key>', 'may be repeated', collected, [])
    .action((options: { tag: string[]; key: string[] }) => invalidate(open(), options));

  cli
    .command('policies')
    .description('the policies in force')
    .action(() => policies(open()));

  return cli;
}

async function stats(
  { api, terminal, json }: Session,
  { window, scope, watch }: { window: string; scope: string; watch?: number | true },
): Promise<void> {
  const query = new URLSearchParams({ window, scope });
  for (;;) {
    const statistics = await api.get<Statistics>(`/cache/stats?${query.toString()}`);
    if (watch !== undefined && terminal.canRedraw && !json) terminal.clear();
    if (json) terminal.json(statistics);
    else showStatistics(terminal, statistics);
    if (watch === undefined) return;
    if (!terminal.canRedraw && !json) terminal.line();
    await wait((watch === true ? 2 : watch) * 1_000);
  }
}

async function top(
  { api, terminal, json }: Session,
  { by, limit }: { by: string; limit: number },
): Promise<void> {
  const { families } = await api.get<Diagnosis>('/cache/doctor');
  const valueOf = (family: Diagnosis['families'][number]): number => {
    if (by === 'reads') return family.reads;
    return by === 'keys' ? family.keys : Object.values(family.miss_causes).reduce((a, b) => a + b, 0);
  };
  const most = [...families].sort((a, b) => valueOf(b) - valueOf(a)).slice(0, limit);
  if (json) terminal.json(most);
  else if (most.length === 0) terminal.line('Nothing has been read lately.');
  else showFamilies(terminal, most);
}

async function invalidate(
  { api, terminal, json }: Session,
  { tag: tags, key: keys }: { tag: string[]; key: string[] },
): Promise<void> {
  if (tags.length + keys.length === 0)
    throw new CliError('Say what to invalidate: --tag or --key', exitCodes.usage);
  const { body } = await api.post<{ message: string; queued: boolean }>('/cache/invalidate', {
    ...(tags.length > 0 && { tags }),
    ...(keys.length > 0 && { keys }),
  });
  if (json) terminal.json(body);
  else terminal.line(body.message);
  if (body.queued)
    throw new CliError(
      'Redis is away: it is done here, and by all others as soon as it is back',
      exitCodes.queued,
      'QUEUED',
    );
}

async function policies({ api, terminal, json }: Session): Promise<void> {
  const { policies: all } = await api.get<{ policies: Policy[] }>('/cache/policies');
  if (json) return terminal.json(all);
  terminal.table(
    [
      { title: 'policy' },
      { title: 'tier' },
      { title: 'fresh', align: 'right' },
      { title: 'then stale', align: 'right' },
      { title: 'of nothing', align: 'right' },
      { title: 'refreshed at', align: 'right' },
      { title: 'tags', maxWidth: 40 },
    ],
    all.map(policy => [
      policy.name,
      policy.tier,
      duration(policy.ttl_ms),
      policy.stale_ms === 0 ? 'never' : duration(policy.stale_ms),
      policy.negative_ttl_ms === 0 ? 'not kept' : duration(policy.negative_ttl_ms),
      policy.refresh_ahead_fraction === 0 ? '–' : percent(policy.refresh_ahead_fraction),
      policy.tags.join(', '),
    ]),
  );
}

function collected(value: string, before: string[]): string[] {
  return [...before, value];
}

function wholeNumber(from: number, to: number): (text: string) => number {
  return text => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < from || value > to)
      throw new InvalidArgumentError(`must be a whole number from ${from} to ${to}.`);
    return value;
  };
}
