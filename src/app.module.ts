import { Module } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import { AgentsModule } from './agents/agents.module';
import { AuthModule } from './auth/auth.module';
import { UnknownAdminPathsModule } from './auth/unknown-admin-paths.module';
import { CacheAdminModule } from './cache-admin/cache-admin.module';
import { CacheModule, type CacheModuleOptions } from './cache';
import { AppConfig } from './config/app-config';
import { ConfigModule } from './config/config.module';
import { Database } from './database/database';
import { outcomeUnknown } from './database/database-errors';
import { DatabaseModule } from './database/database.module';
import { onTheFastWay } from './edge';
import { HardwareModule } from './hardware/hardware.module';
import { HardwareTasksModule } from './hardware/tasks/hardware-tasks.module';
import { HealthModule } from './health/health.module';
import { QueryGuard } from './http/query.guard';
import { loggerOptions } from './logging';
import { MetricsModule } from './metrics/metrics.module';
import { ModelsModule } from './models/models.module';
import { RedisConnections } from './redis/redis-connections';
import { RedisModule } from './redis/redis.module';
import { RootController } from './root.controller';
import { SettingsModule } from './settings/settings.module';

/** The whole application. What is listed first starts first and stops last: Redis outlives all that uses it. */
@Module({
  imports: [
    ConfigModule,
    LoggerModule.forRootAsync({ inject: [AppConfig], useFactory: loggerOptions }),
    RedisModule,
    DatabaseModule,
    // Behind the start of the embedded database, which takes a processor for a second: on a machine with one, a connection made
    // meanwhile would time out.
    CacheModule.forRootAsync({ inject: [AppConfig, RedisConnections, Database], useFactory: cacheOptions }),
    AuthModule,
    SettingsModule,
    AgentsModule,
    ModelsModule,
    HardwareModule,
    HardwareTasksModule,
    HealthModule,
    MetricsModule,
    CacheAdminModule,
    UnknownAdminPathsModule,
  ],
  controllers: [RootController],
})
export class AppModule {}

function cacheOptions(config: AppConfig, redis: RedisConnections): CacheModuleOptions {
  const { cache, hardware, warming, environment } = config;
  return {
    namespace: cache.namespace,
    l1MaxEntries: cache.l1MaxEntries,
    l1Eviction: cache.l1Eviction,
    l1MaxBytes: cache.l1MaxBytes,
    remote: redis.mode === 'off' ? undefined : redis,
    detectUnkeyedInputs: environment !== 'production',
    host: hardware.hostId,
    fastPath: { enabled: cache.fastPath, middleware: onTheFastWay(config), guards: [QueryGuard] },
    warming,
    outcomeUnknown,
  };
}
