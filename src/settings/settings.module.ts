import { Module } from '@nestjs/common';
import { PolicyTable, SystemClock, TieredCache } from '../cache';
import { AppConfig } from '../config/app-config';
import { SettingsController } from './settings.controller';
import { logLevelEffect, policiesEffect } from './settings.effects';
import { SettingsFollower } from './settings.follower';
import { SettingsRepository } from './settings.repository';
import { SettingsService } from './settings.service';

/** A look of the follower is nobody's request: it is not counted in the statistics. */
@Module({
  controllers: [SettingsController],
  providers: [
    SettingsService,
    SettingsRepository,
    {
      provide: SettingsFollower,
      inject: [SettingsRepository, AppConfig, TieredCache, PolicyTable],
      useFactory: (
        repository: SettingsRepository,
        config: AppConfig,
        cache: TieredCache,
        table: PolicyTable,
      ) =>
        new SettingsFollower(
          () => cache.runAs('admin', () => repository.read()),
          { logging: logLevelEffect(config.log.level), 'cache.policies': policiesEffect(cache, table) },
          new SystemClock(),
        ),
    },
  ],
  exports: [SettingsService],
})
export class SettingsModule {}
