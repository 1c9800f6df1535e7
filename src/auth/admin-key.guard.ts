import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request, Response } from 'express';
import { AppConfig } from '../config/app-config';
import { ProblemException } from '../http/problem.exception';
import { AdminKeysService } from './admin-keys.service';
import { AuthCounts } from './auth-counts';
import { ClientAddresses } from './client-address';
import { environmentKeyId, matchKey, readCredentials } from './credentials';
import { notLocalReason } from './loopback';
import { type Principal, setPrincipal } from './principal';
import { RateLimiter, refuseFor } from './rate-limiter';
import { allScopes, type Scope } from './scopes';

/** Metadata of a guarded route: the scope that it asks for, or `any` for whoever is an administrator at all. */
export const SCOPE_METADATA = 'sutazai:admin-scope';

/** Share of the limit that failed logins of one address have. */
const failedLoginFraction = 0.1;

/**
 * Lets administrators through: who shows a key of the environment or of the database, and, where the environment has none,
 * requests of this machine itself (in production nobody). A key that is shown decides, wherever the request comes from.
 * Every answer of a guarded route is `no-store`. It runs on each request, also where the database is away: then a key that
 * only the database knows is a 503, neither refused nor let in.
 */
@Injectable()
export class AdminKeyGuard implements CanActivate {
  constructor(
    private readonly config: AppConfig,
    private readonly reflector: Reflector,
    private readonly limiter: RateLimiter,
    private readonly addresses: ClientAddresses,
    private readonly keys: AdminKeysService,
    private readonly counts: AuthCounts,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<Request>();
    http.getResponse<Response>().setHeader('Cache-Control', 'no-store');
    try {
      const principal = await this.identify(request, this.addresses.of(request));
      this.limit(principal.id);
      this.checkScope(principal, context);
      setPrincipal(request, principal);
      this.counts.count('admitted');
      return true;
    } catch (error) {
      if (error instanceof ProblemException) this.counts.countRefusal(error.code);
      throw error;
    }
  }

  private async identify(request: Request, address: string): Promise<Principal> {
    const credentials = readCredentials(request);
    if (credentials.kind === 'none') return this.byPlace(request, address);
    if (credentials.kind === 'several') {
      this.limit(address);
      throw new ProblemException(
        400,
        'HEADER_DUPLICATE',
        'Several credentials',
        'Send one key, in X-API-Key or as a bearer token.',
      );
    }
    const principal = credentials.kind === 'key' ? await this.byKey(credentials.key) : undefined;
    if (principal) return principal;
    this.countFailure(address);
    if (this.isOff()) throw adminDisabled();
    throw new ProblemException(401, 'AUTH_INVALID', 'Authentication failed', 'This is not an admin key.');
  }

  private async byKey(key: string): Promise<Principal | undefined> {
    const digest = matchKey(key, this.config.admin.apiKeys);
    if (digest === undefined) return this.keys.recognise(key);
    return { kind: 'key', id: environmentKeyId(digest), scopes: allScopes };
  }

  /** Without a key: this machine itself, where the environment has no keys. Refusals are limited by address. */
  private byPlace(request: Request, address: string): Principal {
    const hasKeys = this.config.admin.apiKeys.length > 0;
    const reason = hasKeys || this.isOff() ? undefined : notLocalReason(request);
    if (!hasKeys && !this.isOff() && reason === undefined)
      return { kind: 'loopback', id: 'loopback', scopes: allScopes };
    this.limit(address);
    if (this.isOff()) throw adminDisabled();
    if (hasKeys) {
      throw new ProblemException(
        401,
        'AUTH_REQUIRED',
        'Authentication required',
        'Send an admin key in X-API-Key or as a bearer token.',
      );
    }
    throw new ProblemException(
      403,
      'ADMIN_LOOPBACK_ONLY',
      'Admin access from this machine only',
      `No admin key is configured (ADMIN_API_KEYS), and ${reason}.`,
    );
  }

  /** Whether nobody without a key of the database gets in. */
  private isOff(): boolean {
    return this.config.environment === 'production' && this.config.admin.apiKeys.length === 0;
  }

  private checkScope(principal: Principal, context: ExecutionContext): void {
    const scope = this.reflector.getAllAndOverride<Scope | 'any' | undefined>(SCOPE_METADATA, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (scope === 'any' || (scope !== undefined && principal.scopes.has(scope))) return;
    throw new ProblemException(403, 'FORBIDDEN_SCOPE', 'Scope missing', `This needs the scope ${scope}.`);
  }

  /**
   * Counts after the fact: of many guesses, no more than the limit are told that they were wrong. A right key always passes:
   * none is short enough to be guessed, and whoever shares an address with its holder (behind one proxy everybody may) could
   * lock it out otherwise.
   */
  private countFailure(address: string): void {
    const limit = this.failedLimit();
    if (limit !== undefined) refuseFor(this.limiter.take(`failed ${address}`, limit));
  }

  private failedLimit(): number | undefined {
    const { rateLimit } = this.config;
    return rateLimit === 'off' ? undefined : Math.max(1, Math.floor(rateLimit * failedLoginFraction));
  }

  private limit(name: string): void {
    if (this.config.rateLimit !== 'off') refuseFor(this.limiter.take(`admin ${name}`, this.config.rateLimit));
  }
}

function adminDisabled(): ProblemException {
  return new ProblemException(
    503,
    'ADMIN_DISABLED',
    'Admin access is off',
    'No admin key is configured (ADMIN_API_KEYS).',
  );
}
