import {
  applyDecorators,
  type CanActivate,
  type ExecutionContext,
  Injectable,
  UseGuards,
} from '@nestjs/common';
import { ApiBearerAuth, ApiSecurity } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { NeverCached } from '../cache';
import { AppConfig } from '../config/app-config';
import { ProblemException } from '../http/problem.exception';
import { matchKey, readCredentials } from './credentials';
import { notLocalReason } from './loopback';
import { type Principal, setPrincipal } from './principal';
import { RateLimiter } from './rate-limiter';

/** Share of the limit that failed logins of one address have. */
const failedLoginFraction = 0.1;

/**
 * Lets administrators through. With keys configured: who shows one of them. Without: requests of this machine itself,
 * and in production nobody. Every answer of a guarded route is `no-store`.
 */
@Injectable()
export class AdminKeyGuard implements CanActivate {
  constructor(
    private readonly config: AppConfig,
    private readonly limiter: RateLimiter,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const http = context.switchToHttp();
    const request = http.getRequest<Request>();
    http.getResponse<Response>().setHeader('Cache-Control', 'no-store');
    const address = request.socket.remoteAddress ?? 'unknown';
    const principal =
      this.config.admin.apiKeys.length > 0 ? this.byKey(request, address) : this.byPlace(request);
    this.limit(principal.kind === 'key' ? principal.id : address);
    setPrincipal(request, principal);
    return true;
  }

  private byKey(request: Request, address: string): Principal {
    const credentials = readCredentials(request);
    if (credentials.kind === 'several') {
      throw new ProblemException(
        400,
        'HEADER_DUPLICATE',
        'Several credentials',
        'Send one key, in X-API-Key or as a bearer token.',
      );
    }
    if (credentials.kind === 'none') {
      throw new ProblemException(
        401,
        'AUTH_REQUIRED',
        'Authentication required',
        'Send an admin key in X-API-Key or as a bearer token.',
      );
    }
    this.refuseGuessing(address);
    const digest =
      credentials.kind === 'key' ? matchKey(credentials.key, this.config.admin.apiKeys) : undefined;
    if (digest !== undefined) return { kind: 'key', id: `key:${digest.slice(0, 8)}` };
    this.limiter.take(`failed ${address}`, Infinity);
    throw new ProblemException(401, 'AUTH_INVALID', 'Authentication failed', 'This is not an admin key.');
  }

  private byPlace(request: Request): Principal {
    if (this.config.environment === 'production') {
      throw new ProblemException(
        503,
        'ADMIN_DISABLED',
        'Admin access is off',
        'No admin key is configured (ADMIN_API_KEYS).',
      );
    }
    const reason = notLocalReason(request);
    if (reason === undefined) return { kind: 'loopback', id: 'loopback' };
    throw new ProblemException(
      403,
      'ADMIN_LOOPBACK_ONLY',
      'Admin access from this machine only',
      `No admin key is configured (ADMIN_API_KEYS), and ${reason}.`,
    );
  }

  private refuseGuessing(address: string): void {
    if (this.config.rateLimit === 'off') return;
    const limit = Math.max(1, Math.floor(this.config.rateLimit * failedLoginFraction));
    refuseFor(this.limiter.blockedFor(`failed ${address}`, limit));
  }

  private limit(name: string): void {
    if (this.config.rateLimit !== 'off') refuseFor(this.limiter.take(`admin ${name}`, this.config.rateLimit));
  }
}

/** Marks a route, or all routes of a controller, as for administrators; a cache decorator there stops the start. */
export function AdminOnly(): MethodDecorator & ClassDecorator {
  return applyDecorators(
    UseGuards(AdminKeyGuard),
    NeverCached('admin route'),
    ApiSecurity('admin-key'),
    ApiBearerAuth('admin-bearer'),
  );
}

function refuseFor(seconds: number): void {
  if (seconds <= 0) return;
  throw new ProblemException(
    429,
    'RATE_LIMITED',
    'Too many requests',
    `Try again in ${seconds} s.`,
    undefined,
    {
      'Retry-After': String(seconds),
    },
  );
}
