import { guardedRoute } from '../auth/admin-only.decorator';
import type { Scope } from '../auth/scopes';
import { AgentOrAdminGuard } from './agent-or-admin.guard';

/** Marks a route as for the agent in its path, which shows its own token, and for administrators with a scope. */
export function AgentOrAdmin(scope: Scope): MethodDecorator {
  return guardedRoute(AgentOrAdminGuard, scope, 'route of agents and administrators');
}
