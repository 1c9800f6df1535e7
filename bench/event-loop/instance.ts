import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { AppModule } from '../../src/app.module';
import { appOptions, configureApp } from '../../src/configure-app';
import { AppConfig } from '../../src/config/app-config';
import { Database } from '../../src/database/database';
import { hardwareSamples } from '../../src/database/schema';
import { LimitedExpressAdapter } from '../../src/http/limited-express.adapter';

/** Samples of a week, one in thirty seconds: what the analysis has to read. */
const samples = 20_160;
const batch = 1_000;

/** The application in a process of its own: tells its URL, and then for each message how late its event loop was since the last one. */
async function main(): Promise<void> {
  const app = await NestFactory.create<NestExpressApplication>(
    AppModule,
    new LimitedExpressAdapter(),
    appOptions,
  );
  configureApp(app);
  await seed(app.get(Database), app.get(AppConfig).hardware.hostId);
  await app.listen(0, '127.0.0.1');
  const delay = monitorEventLoopDelay({ resolution: 1 });
  process.on('message', () => {
    delay.disable();
    const ms = (nanoseconds: number): number => nanoseconds / 1e6;
    process.send?.({ p50: ms(delay.percentile(50)), p99: ms(delay.percentile(99)), max: ms(delay.max) });
    delay.reset();
    delay.enable();
  });
  process.once('disconnect', () => void app.close().then(() => process.exit(0)));
  process.send?.({ url: `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}` });
}

async function seed({ orm }: Database, host: string): Promise<void> {
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

void main();
