import { applyDecorators, type CanActivate, SetMetadata, type Type, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiResponse, ApiSecurity } from '@nestjs/swagger';
import { NeverCached } from '../cache';
import { AdminKeyGuard, SCOPE_METADATA } from './admin-key.guard';
import type { Scope } from './scopes';

/**
 * Marks a route, or all routes of a controller, as for administrators with a scope; `any` is for whoever is one at all. A
 * cache decorator there stops the start.
 */
export function AdminOnly(scope: Scope | 'any'): MethodDecorator & ClassDecorator {
  return guardedRoute(AdminKeyGuard, scope, 'admin route');
}

/** What stands at every route that asks for a key: its guard, the scope that this one asks for, and what the documentation says. */
export function guardedRoute(
  guard: Type<CanActivate>,
  scope: Scope | 'any',
  whyNeverCached: string,
): MethodDecorator & ClassDecorator {
  return applyDecorators(
    SetMetadata(SCOPE_METADATA, scope),
    UseGuards(guard),
    NeverCached(whyNeverCached),
    ApiSecurity('admin-key'),
    ApiBearerAuth('admin-bearer'),
    ApiResponse({ status: 401, description: 'AUTH_REQUIRED, AUTH_INVALID' }),
    ApiResponse({ status: 403, description: `FORBIDDEN_SCOPE (${scope}), ADMIN_LOOPBACK_ONLY` }),
    ApiResponse({ status: 429, description: 'RATE_LIMITED' }),
    ApiResponse({ status: 503, description: 'ADMIN_DISABLED, DATABASE_UNAVAILABLE' }),
  );
}
