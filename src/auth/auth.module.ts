import { Global, Module } from '@nestjs/common';
import { AdminKeyGuard } from './admin-key.guard';
import { RateLimiter } from './rate-limiter';

/** Makes `@AdminOnly()` usable on the routes of every module, with one count of requests for all of them. */
@Global()
@Module({
  providers: [{ provide: RateLimiter, useFactory: () => new RateLimiter() }, AdminKeyGuard],
  exports: [RateLimiter, AdminKeyGuard],
})
export class AuthModule {}
