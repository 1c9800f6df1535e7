import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { Request, Response } from 'express';
import { AdminKeyGuard } from '../auth/admin-key.guard';
import { AuthCounts } from '../auth/auth-counts';
import { readCredentials } from '../auth/credentials';
import { digestOf, looksIssued, sameDigest } from '../auth/issued-key';
import { setPrincipal } from '../auth/principal';
import { RateLimiter, refuseFor } from '../auth/rate-limiter';
import { AppConfig } from '../config/app-config';
import { agentIdPattern } from './agent-fields';
import { AgentTokensRepository } from './agent-tokens.repository';

/**
 * Lets the agent of the path through, by its own token, and administrators. Whatever is not that token is the concern of the
 * guard of the admin routes: a wrong one is refused, counted and limited there as a wrong key is.
 */
@Injectable()
export class AgentOrAdminGuard implements CanActivate {
  /** Its own: agents are many, and must not push administrators out of the count of theirs. */
  readonly #limiter = new RateLimiter();

  constructor(
    private readonly config: AppConfig,
    private readonly admins: AdminKeyGuard,
    private readonly counts: AuthCounts,
    private readonly tokens: AgentTokensRepository,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<Request<{ id?: string }>>();
    const id = await this.#agentOf(request);
    if (id === undefined) return this.admins.canActivate(context);
    http.getResponse<Response>().setHeader('Cache-Control', 'no-store');
    this.#limit(id);
    setPrincipal(request, { kind: 'agent', id: `agent:${id}`, scopes: new Set() });
    this.counts.count('admitted');
    return true;
  }

  /** The id in the path, when the request shows the token of just this agent. */
  async #agentOf(request: Request<{ id?: string }>): Promise<string | undefined> {
    const { id = '' } = request.params;
    const credentials = readCredentials(request);
    if (credentials.kind !== 'key' || !looksIssued(credentials.key, 'agent') || !agentIdPattern.test(id))
      return undefined;
    const expected = await this.tokens.find(id);
    return expected !== null && sameDigest(expected, digestOf(credentials.key)) ? id : undefined;
  }

  #limit(id: string): void {
    const { rateLimit } = this.config;
    const seconds = rateLimit === 'off' ? 0 : this.#limiter.take(id, rateLimit);
    if (seconds > 0) this.counts.countRefusal('RATE_LIMITED');
    refuseFor(seconds);
  }
}
