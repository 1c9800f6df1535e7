import type { IncomingMessage } from 'node:http';

/** Who makes a request, as far as it was proved. */
export interface Principal {
  /** `key`: holds a configured admin key. `loopback`: a process of this machine, where no key is configured. */
  readonly kind: 'key' | 'loopback';
  /** For logs and histories: `key:` and the first eight hex digits of the key's digest, or `loopback`. */
  readonly id: string;
}

const principals = new WeakMap<IncomingMessage, Principal>();

/** Remembers who makes a request; only the guard calls it. */
export function setPrincipal(request: IncomingMessage, principal: Principal): void {
  principals.set(request, principal);
}

/** Who makes a request, or undefined where no guard asked. */
export function principalOf(request: IncomingMessage): Principal | undefined {
  return principals.get(request);
}
