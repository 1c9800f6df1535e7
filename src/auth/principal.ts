import type { IncomingMessage } from 'node:http';
import type { Scope } from './scopes';

/** Who makes a request, as far as it was proved. */
export interface Principal {
  /**
   * `key`: holds an admin key. `loopback`: a process of this machine, where no key is configured. `agent`: holds the token of
   * one agent, and has no scope.
   */
  readonly kind: 'key' | 'loopback' | 'agent';
  /**
   * For limits, logs and histories: `key:` and the id of a key of the database, `env:` and eight hex digits that tell
   * keys of the environment apart (not of their digest), `loopback`, or `agent:` and the id of an agent.
   */
  readonly id: string;
  readonly scopes: ReadonlySet<Scope>;
}

const principals = new WeakMap<IncomingMessage, Principal>();

/** Remembers who makes a request; only guards call it. */
export function setPrincipal(request: IncomingMessage, principal: Principal): void {
  principals.set(request, principal);
}

/** Who makes a request, or undefined where no guard asked. */
export function principalOf(request: IncomingMessage): Principal | undefined {
  return principals.get(request);
}
