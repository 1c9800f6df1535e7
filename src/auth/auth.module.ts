import { Global, Module } from '@nestjs/common';
import { AppConfig } from '../config/app-config';
import { AdminKeyGuard } from './admin-key.guard';
import { AdminKeysController } from './admin-keys.controller';
import { AdminKeysRepository } from './admin-keys.repository';
import { AdminKeysService } from './admin-keys.service';
import { AuditLog } from './audit-log';
import { AuditRepository } from './audit.repository';
import { AuthCounts } from './auth-counts';
import { ClientAddresses } from './client-address';
import { KeyUsage } from './key-usage';
import { RateLimiter } from './rate-limiter';

/** Makes `@AdminOnly()` usable on the routes of every module, with one count of requests and one audit log for all of them. */
@Global()
@Module({
  controllers: [AdminKeysController],
  providers: [
    { provide: RateLimiter, useFactory: () => new RateLimiter() },
    { provide: AuthCounts, useFactory: () => new AuthCounts() },
    {
      provide: ClientAddresses,
      inject: [AppConfig],
      useFactory: ({ server }: AppConfig) => new ClientAddresses(server.trustedProxies),
    },
    AdminKeysRepository,
    AdminKeysService,
    KeyUsage,
    AuditRepository,
    AuditLog,
    AdminKeyGuard,
  ],
  exports: [RateLimiter, AuthCounts, ClientAddresses, AdminKeysService, AuditLog, AdminKeyGuard],
})
export class AuthModule {}
