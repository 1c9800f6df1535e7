import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule } from '../../src/app.module';
import { TieredCache } from '../../src/cache';
import { appOptions, configureApp } from '../../src/configure-app';
import { openApiDocument } from '../../src/openapi/document';
import { Database } from '../../src/database/database';
import { LimitedExpressAdapter } from '../../src/http/limited-express.adapter';
import { Attribution } from './attribution';
import type { FromInstance, InstanceSettings, ToInstance } from './messages';
import { withoutCache } from './without-cache';

/** One instance of the application as it ships, with or without its cache, which tells what it asked for whom. */
const settings = JSON.parse(process.env['BENCH_INSTANCE']!) as InstanceSettings;
const send = (message: FromInstance): void => void process.send!(message);

async function main(): Promise<void> {
  if (!settings.cache) withoutCache();
  const attribution = new Attribution();
  attribution.ofFetches(process.env['OLLAMA_URL']!);
  const app = await NestFactory.create<NestExpressApplication>(
    AppModule,
    new LimitedExpressAdapter(),
    appOptions,
  );
  configureApp(app);
  const [database, cache] = [app.get(Database), app.get(TieredCache)];
  attribution.ofStatements(database);
  await app.listen(0, '127.0.0.1');
  attribution.ofRequests(app.getHttpServer());
  while (!cache.status().gate.open) await new Promise(resolve => setTimeout(resolve, 20));
  process.on('message', (message: ToInstance) => {
    if (message.kind === 'begin') {
      attribution.reset();
      send({ kind: 'begun' });
    } else if (message.kind === 'asked') send({ kind: 'asked', byRoute: attribution.byRoute });
    else void app.close().then(() => process.exit(0));
  });
  const { port } = app.getHttpServer().address() as AddressInfo;
  const hasHeartbeats = '/api/v1/agents/{id}/heartbeat' in openApiDocument(app).paths;
  send({ kind: 'ready', port, hasHeartbeats });
}

// Without the other process there is nothing to do.
process.once('disconnect', () => process.exit(0));
void main();
