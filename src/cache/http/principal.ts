import { createHash } from 'node:crypto';
import { maxTagBytes } from '../core';
import { escapeText, lengthPrefixed } from './key-text';

/**
 * For whom an answer is: `none`, everybody gets the same; `tenant`, all users of one tenant; `user`, one user alone.
 */
export const principalScopes = ['none', 'tenant', 'user'] as const;
export type PrincipalScope = (typeof principalScopes)[number];

/** Who a request is from, as the application has verified it; never taken from a header that anybody may send. */
export interface Principal {
  /** Identifies one user. */
  readonly user?: string | undefined;
  /** Identifies the tenant that the user belongs to. */
  readonly tenant?: string | undefined;
}

/** What a principal adds to an entry. */
export interface PrincipalParts {
  /** Its part of the key; undefined when everybody shares the entry. */
  readonly keyPart: string | undefined;
  /** Tags by which all entries of one user or tenant can be dropped. */
  readonly tags: readonly string[];
}

const everybody: PrincipalParts = Object.freeze({ keyPart: undefined, tags: Object.freeze([]) });
const nobody: PrincipalParts = Object.freeze({ keyPart: '!anonymous', tags: Object.freeze([]) });

/**
 * The parts of a request's principal under a scope; undefined when the request must go past the cache: it carries
 * credentials that name nobody, or the principal lacks what the scope asks for. Requests without credentials share an
 * entry of their own, apart from everybody who is signed in.
 */
export function principalParts(
  scope: PrincipalScope,
  principal: Principal | undefined,
  hasCredentials: boolean,
): PrincipalParts | undefined {
  if (scope === 'none') return everybody;
  if (principal === undefined) return hasCredentials ? undefined : nobody;
  const { user, tenant } = principal;
  const id = scope === 'user' ? user : tenant;
  if (typeof id !== 'string' || id === '') return undefined;
  const tags = [principalTag(scope, id)];
  if (scope === 'user' && typeof tenant === 'string' && tenant !== '')
    tags.push(principalTag('tenant', tenant));
  return { keyPart: `!${scope}=${lengthPrefixed(id)}`, tags };
}

/**
 * The tag of everything that is kept for a user or a tenant: `user:<id>`, `tenant:<id>`. What a tag cannot hold is
 * escaped, and an id that is too long is hashed. Invalidate it when a user's rights change.
 */
export function principalTag(scope: 'user' | 'tenant', id: string): string {
  const tag = `${scope}:${escapeText(id).replaceAll(',', '%2C')}`;
  return tag.length <= maxTagBytes ? tag : `${scope}:~${createHash('sha256').update(id).digest('base64url')}`;
}
