import { Global, Module } from '@nestjs/common';
import { AppConfig } from '../config/app-config';
import { RedisConnections } from './redis-connections';

/** Gives every module the clients of the one Redis; the private server is started first, where one is used. */
@Global()
@Module({
  providers: [
    {
      provide: RedisConnections,
      inject: [AppConfig],
      useFactory: (config: AppConfig) => RedisConnections.open(config.redis),
    },
  ],
  exports: [RedisConnections],
})
export class RedisModule {}
