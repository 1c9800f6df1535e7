import { Scheduler } from './scheduler'; // first: it looks which threads there are
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { sql } from 'drizzle-orm';
import type { AddressInfo } from 'node:net';
import { AppModule } from '../../src/app.module';
import { appOptions, configureApp } from '../../src/configure-app';
import { AppConfig } from '../../src/config/app-config';
import { Database } from '../../src/database/database';
import { hardwareSamples } from '../../src/database/schema';
import { LimitedExpressAdapter } from '../../src/http/limited-express.adapter';
import { LoopProbe } from './loop-probe';

/** Samples of a week, one in thirty seconds: what the analysis has to read. */
const samples = 20_160;
const batch = 1_000;

/** The application in a process of its own: tells its URL, and then for each message how late its event loop was since the last one. */
async function main(): Promise<void> {
  const probe = new LoopProbe(Scheduler.open());
  const app = await NestFactory.create<NestExpressApplication>(
    AppModule,
    new LimitedExpressAdapter(),
    appOptions,
  );
  configureApp(app);
  await seedSamples(app.get(Database), app.get(AppConfig).hardware.hostId);
  const [agents, probed, agentUrl] = process.argv.slice(2);
  if (agentUrl !== undefined) await seedAgents(app.get(Database), Number(agents), Number(probed), agentUrl);
  await app.listen(0, '127.0.0.1');
  probe.start();
  process.on('message', () => void probe.take().then(delay => process.send?.(delay)));
  process.once('disconnect', () => void app.close().then(() => process.exit(0)));
  process.send?.({ url: `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}` });
}

async function seedSamples({ orm }: Database, host: string): Promise<void> {
  const now = Math.floor(Date.now() / 1_000);
  for (let from = 0; from < samples; from += batch) {
    const rows = Array.from({ length: Math.min(batch, samples - from) }, (_, at) => ({
      host,
      tick: now - 30 * (from + at + 1),
      cpuPercent: 50 + 30 * Math.sin(from + at),
      loadPerCore: 1 + Math.sin(from + at),
      memoryPercent: 60 - (from + at) / 1_000,
      swapPercent: 10,
      diskPercent: 70 - (from + at) / 1_000,
    }));
    await orm.insert(hardwareSamples).values(rows).onConflictDoNothing();
  }
}

/** Agents that have all sent a heartbeat and fall silent one after the other; some of them are probed. */
async function seedAgents({ orm }: Database, count: number, probed: number, url: string): Promise<void> {
  await orm.execute(sql`
    INSERT INTO agents (id, name, type, status, capabilities, url, reported_status, last_seen_at)
    SELECT 'agent-' || n, 'Agent ' || n, 'bulk', 'healthy', ARRAY['bulk'], CASE WHEN n <= ${probed} THEN ${url} END,
      'healthy', now() - make_interval(secs => 90.0 * n / ${count})
    FROM generate_series(1, ${count}) AS n`);
}

void main();
