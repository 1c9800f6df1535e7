import { Global, Module } from '@nestjs/common';
import { AppConfig } from '../config/app-config';
import { Database } from './database';

/** Gives every module the one database, open and migrated, or trying again behind `DatabaseUnavailableError`. */
@Global()
@Module({
  providers: [
    {
      provide: Database,
      inject: [AppConfig],
      useFactory: (config: AppConfig) => Database.open(config.database),
    },
  ],
  exports: [Database],
})
export class DatabaseModule {}
