import { join } from 'node:path';
import { EmbeddedRedis } from '../src/redis/embedded-redis';
import { peerVersions } from './measure/peers';
import type { Question } from './measure/question';
import { report } from './measure/report';
import { keepResult, machine } from './measure/results';

/**
 * `node run.js NAME [--short]`: asks one question of `bench/questions`, with a private Redis, prints the answer and keeps it as
 * `bench/results/NAME.md` and `NAME.json`. Started by `npm run bench`.
 */
async function main(name: string, short: boolean): Promise<void> {
  const { question } = (await import(join(__dirname, 'questions', `${name}.js`))) as { question: Question };
  const redis = await EmbeddedRedis.start(join(process.cwd(), 'config', 'redis.conf'));
  if (!redis) throw new Error('the benchmark needs redis-server on the PATH');
  try {
    const answers = await question.ask({
      short,
      rounds: short ? 3 : 9,
      roundMs: short ? 60 : 250,
      redis: redis.socketPath,
    });
    const result = report(question.title, answers, { ...machine(), short, versions: peerVersions() });
    keepResult(name, result);
    process.stdout.write(`${result.markdown}\n`);
  } finally {
    await redis.stop();
  }
}

main(process.argv[2]!, process.argv.includes('--short')).then(
  // A client of a peer that does not end by itself must not keep the others waiting.
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  },
);
