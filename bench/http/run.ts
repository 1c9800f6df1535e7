import { fork, type ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { contenders, type Contender } from './servers';
import { report, type Measurement } from './report';

/**
 * `npm run bench:http [-- --short] [--64]`: how fast a hit leaves. Each contender is a process; the load is another one; contenders
 * take turns within a round, so that a slow moment of the machine hits all of them, and are compared round by round.
 * Quote the ratios alone. Results: `bench/results/http.md` and `http.json`.
 */
const isShort = process.argv.includes('--short');
const rounds = isShort ? 5 : 41;
/** Short, so that neighbours in a round see the machine in the same mood. */
const durationMs = 250;
/** Rounds that only warm up. */
const warmUps = 2;
const connections = process.argv.includes('--64') ? [64] : [1, 64, 256];
const folder = join(process.cwd(), 'bench', 'results');

interface Server {
  readonly url: string;
  readonly etag: string | undefined;
  readonly child: ChildProcess;
}

async function start(contender: Contender): Promise<Server> {
  const child = fork(join(__dirname, 'server.js'), [contender], {
    env: { ...process.env, NODE_ENV: 'production' },
  });
  const { url } = await new Promise<{ url: string }>((resolve, reject) => {
    child.once('message', message => resolve(message as { url: string }));
    child.once('exit', code => reject(new Error(`${contender} ended at its start with ${code}`)));
  });
  // As the load asks, which reads no codings.
  const headers = { 'accept-encoding': 'identity' };
  // A miss, a hit from which the fast way learns, and one that counts.
  let response = await fetch(url, { headers });
  for (let n = 0; n < 3; n += 1) {
    await response.arrayBuffer();
    response = await fetch(url, { headers });
  }
  await response.arrayBuffer();
  return { url, etag: response.headers.get('etag') ?? undefined, child };
}

interface Load {
  readonly perSecond: number;
  /** Microseconds that the server has worked for one answer. */
  readonly cpuUs: number;
  readonly wrong: number;
}

function cpuOf({ child }: Server): Promise<number> {
  return new Promise(resolve => {
    child.once('message', message => resolve((message as { cpuUs: number }).cpuUs));
    child.send('cpu');
  });
}

async function load(loader: ChildProcess, server: Server, count: number, withTag: boolean): Promise<Load> {
  const before = await cpuOf(server);
  const etag = withTag ? server.etag : undefined;
  const result = await new Promise<{ perSecond: number; answers: number; wrong: number }>(resolve => {
    loader.once('message', message =>
      resolve(message as { perSecond: number; answers: number; wrong: number }),
    );
    loader.send({ url: server.url, connections: count, ms: durationMs, etag });
  });
  return { ...result, cpuUs: ((await cpuOf(server)) - before) / result.answers };
}

/** In an order of its own for each round, so that nobody always runs beside the same other. */
function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map(item => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

async function main(): Promise<void> {
  const servers = new Map<Contender, Server>();
  const loader = fork(join(process.cwd(), 'bench', 'http', 'load.mjs'));
  try {
    for (const contender of contenders) servers.set(contender, await start(contender));
    const measurements: Measurement[] = [];
    for (const status of [200, 304] as const) {
      for (const count of connections) {
        const loads = new Map<Contender, Load[]>(contenders.map(each => [each, []]));
        for (let round = -warmUps; round < rounds; round += 1) {
          for (const contender of shuffled(contenders)) {
            const result = await load(loader, servers.get(contender)!, count, status === 304);
            if (result.wrong > 0) throw new Error(`${contender}: ${result.wrong} answers were wrong`);
            if (round >= 0) loads.get(contender)!.push(result);
          }
        }
        for (const contender of contenders)
          measurements.push({
            contender,
            status,
            connections: count,
            perSecond: loads.get(contender)!.map(each => each.perSecond),
            cpuUs: loads.get(contender)!.map(each => each.cpuUs),
          });
      }
    }
    const { markdown, json } = report(measurements, {
      node: process.version,
      cpus: cpus().length,
      rounds,
      durationMs,
    });
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'http.md'), markdown);
    writeFileSync(join(folder, 'http.json'), `${JSON.stringify(json, undefined, 2)}\n`);
    process.stdout.write(markdown);
  } finally {
    loader.kill();
    for (const { child } of servers.values()) child.kill();
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
