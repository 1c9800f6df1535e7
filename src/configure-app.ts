import { type NestApplicationOptions, RequestMethod } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { SwaggerModule } from '@nestjs/swagger';
import { Logger } from 'nestjs-pino';
import { AppConfig } from './config/app-config';
import { edgeMiddleware } from './edge';
import { answerClientErrors } from './http/client-errors';
import { drainOnClose } from './http/draining';
import { ProblemFilter } from './http/problem.filter';
import { QueryGuard } from './http/query.guard';
import { limitServer } from './http/server-limits';
import { UndeclaredInputInterceptor } from './http/undeclared-input.interceptor';
import { RequestValidationPipe } from './http/validation.pipe';
import { wholeQuery } from './http/whole-query';
import { quietStart } from './logging';
import { openApiDocument } from './openapi/document';

/** How the application is to be created; `configureApp` relies on it. Our own reader takes the place of the framework's body parser. */
export const appOptions: NestApplicationOptions = {
  bodyParser: false,
  bufferLogs: true,
  autoFlushLogs: false,
  abortOnError: false,
};

/** Probes and scrapers know their own paths. `/metrics` and the report at `/api/v1/metrics` share a name: both are written out. */
const outsideOfPrefix = ['/', 'health', 'health/live', 'health/ready', 'metrics', 'api/v1/metrics'].map(
  path => ({
    path,
    method: RequestMethod.ALL,
  }),
);

/** Everything between the modules and the world: prefix, pipes, guards, interceptors, filters, headers, limits, documentation. Used by `main` and by the tests. */
export function configureApp(app: NestExpressApplication): NestExpressApplication {
  const config = app.get(AppConfig);
  app.useLogger(quietStart(app.get(Logger)));
  app.flushLogs();
  app.disable('x-powered-by');
  app.set('query parser', wholeQuery);
  app.set('etag', false); // cached routes bring their own; hashing the others costs more than it saves
  app.use(...edgeMiddleware(config));
  app.setGlobalPrefix('api/v1', { exclude: outsideOfPrefix });
  app.useGlobalPipes(new RequestValidationPipe());
  app.useGlobalGuards(new QueryGuard(pipe => app.get(pipe, { strict: false })));
  app.useGlobalInterceptors(new UndeclaredInputInterceptor());
  app.useGlobalFilters(new ProblemFilter());
  const server = app.getHttpServer();
  limitServer(server, config.server);
  answerClientErrors(server);
  drainOnClose(server);
  SwaggerModule.setup('docs', app, () => openApiDocument(app), {
    jsonDocumentUrl: 'docs/openapi.json',
    yamlDocumentUrl: 'docs/openapi.yaml',
  });
  return app;
}
