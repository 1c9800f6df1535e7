import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Logger } from 'nestjs-pino';
import { AppModule } from './app.module';
import { AppConfig } from './config/app-config';
import { appOptions, configureApp } from './configure-app';
import { LimitedExpressAdapter } from './http/limited-express.adapter';
import { closeOnSignals, explainFailedStart, printLines } from './process';
import { startReport } from './start-report';

async function main(): Promise<void> {
  const app = await NestFactory.create<NestExpressApplication>(
    AppModule,
    new LimitedExpressAdapter(),
    appOptions,
  );
  closeOnSignals(app);
  configureApp(app);
  const { server } = app.get(AppConfig);
  try {
    await app.listen(server.port, server.host);
  } catch (error) {
    await app.close();
    throw error;
  }
  const port = (app.getHttpServer().address() as { port: number }).port;
  printLines(
    startReport(app, `http://${server.host.includes(':') ? `[${server.host}]` : server.host}:${port}`),
    app.get(Logger),
  );
}

main().catch((error: unknown) => explainFailedStart(error));
