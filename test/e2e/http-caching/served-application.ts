import { Global, Module, type DynamicModule, type Provider, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NextFunction, Request, Response } from 'express';
import { LoggerModule } from 'nestjs-pino';
import type { AddressInfo } from 'node:net';
import { CacheModule, TieredCache, type CacheModuleOptions } from '../../../src/cache';
import { AppConfig } from '../../../src/config/app-config';
import { loadConfig } from '../../../src/config/load-config';
import { appOptions, configureApp } from '../../../src/configure-app';
import { onTheFastWay } from '../../../src/edge';
import { QueryGuard } from '../../../src/http/query.guard';
import { loggerOptions } from '../../../src/logging';
import { send, type RawAnswer } from './raw-http';

export interface ServedOptions {
  controllers: Type[];
  providers?: Provider[];
  fastPath: boolean;
  cache?: Partial<CacheModuleOptions>;
  env?: Record<string, string>;
  /** Before the application starts to listen. */
  prepare?: (app: NestExpressApplication) => void;
}

const running = new Set<ServedApplication>();
afterAll(async () => {
  await Promise.all([...running].map(app => app.stop()));
});

/**
 * An application of routes that the product does not have, behind the product's own edge (`configureApp`), listening on a
 * socket. It counts what Express gets to see, which is what the fast way has not answered.
 */
export class ServedApplication {
  private constructor(
    readonly app: NestExpressApplication,
    readonly port: number,
    private readonly counter: { seen: number },
  ) {
    running.add(this);
  }

  static async start(options: ServedOptions): Promise<ServedApplication> {
    const env = { NODE_ENV: 'test', LOG_LEVEL: 'silent', REDIS_URL: 'off', ...options.env };
    const config = loadConfig(env);
    const counter = { seen: 0 };
    const countRequest = (_request: Request, _response: Response, next: NextFunction): void => {
      counter.seen += 1;
      next();
    };
    const known = onTheFastWay(config);
    const { fastPath, ...cache } = options.cache ?? {};
    const cacheOptions: CacheModuleOptions = {
      detectUnkeyedInputs: true,
      ...cache,
      fastPath: {
        enabled: options.fastPath,
        ...fastPath,
        guards: [QueryGuard, ...(fastPath?.guards ?? [])],
        middleware: layer =>
          layer.handle === (countRequest as unknown)
            ? 'skip'
            : (fastPath?.middleware?.(layer) ?? known(layer)),
      },
      warming: { enabled: false },
    };
    @Module({ controllers: options.controllers, providers: options.providers ?? [] })
    class RoutesModule {}
    const app = await NestFactory.create<NestExpressApplication>(
      rootOf([configModule(config), loggerModule(), CacheModule.forRoot(cacheOptions), RoutesModule]),
      appOptions,
    );
    app.use(countRequest);
    options.prepare?.(app);
    configureApp(app);
    await app.listen(0, '127.0.0.1');
    return new ServedApplication(app, (app.getHttpServer().address() as AddressInfo).port, counter);
  }

  get cache(): TieredCache {
    return this.app.get(TieredCache);
  }

  /** How many of the requests that `run` makes come to Express. */
  async countExpress(run: () => Promise<unknown>): Promise<number> {
    const before = this.counter.seen;
    await run();
    return this.counter.seen - before;
  }

  get(path: string, ...fields: string[]): Promise<RawAnswer> {
    return send(this.port, `GET /api/v1${path}`, fields);
  }

  send(line: string, fields: readonly string[] = [], body = ''): Promise<RawAnswer> {
    return send(this.port, line, fields, body);
  }

  async stop(): Promise<void> {
    if (!running.delete(this)) return;
    await this.app.close();
  }
}

function rootOf(imports: (Type | DynamicModule)[]): Type {
  @Module({ imports })
  class RootModule {}
  return RootModule;
}

function configModule(config: AppConfig): Type {
  @Global()
  @Module({ providers: [{ provide: AppConfig, useValue: config }], exports: [AppConfig] })
  class TestConfigModule {}
  return TestConfigModule;
}

function loggerModule(): DynamicModule {
  return LoggerModule.forRootAsync({ inject: [AppConfig], useFactory: loggerOptions });
}

/** Handlers that wait until they are released, and how often each was called. */
export class Handlers {
  readonly calls = new Map<string, number>();
  #held: Promise<void> | undefined;

  called(name: string): number {
    const count = (this.calls.get(name) ?? 0) + 1;
    this.calls.set(name, count);
    return count;
  }

  count(name: string): number {
    return this.calls.get(name) ?? 0;
  }

  /** Calls from now on wait in `wait` until the returned function is called. */
  hold(): () => void {
    let release!: () => void;
    this.#held = new Promise(resolve => (release = resolve));
    return () => {
      this.#held = undefined;
      release();
    };
  }

  async wait(): Promise<void> {
    await this.#held;
  }

  reset(): void {
    this.calls.clear();
    this.#held = undefined;
  }
}

/** Resolves when the condition holds; for what other turns of the event loop bring about. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setImmediate(resolve));
}
