import { applyDecorators, SetMetadata, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiResponse, ApiSecurity } from '@nestjs/swagger';
import { SCOPE_METADATA } from '../auth/admin-key.guard';
import type { Scope } from '../auth/scopes';
import { NeverCached } from '../cache';
import { AgentOrAdminGuard } from './agent-or-admin.guard';

/** Marks a route as for the agent in its path, which shows its own token, and for administrators with a scope. */
export function AgentOrAdmin(scope: Scope): MethodDecorator {
  return applyDecorators(
    SetMetadata(SCOPE_METADATA, scope),
    UseGuards(AgentOrAdminGuard),
    NeverCached('route of agents and administrators'),
    ApiSecurity('admin-key'),
    ApiBearerAuth('admin-bearer'),
    ApiResponse({ status: 401, description: 'AUTH_REQUIRED, AUTH_INVALID' }),
    ApiResponse({ status: 403, description: `FORBIDDEN_SCOPE (${scope}), ADMIN_LOOPBACK_ONLY` }),
    ApiResponse({ status: 429, description: 'RATE_LIMITED' }),
    ApiResponse({ status: 503, description: 'ADMIN_DISABLED, DATABASE_UNAVAILABLE' }),
  );
}
