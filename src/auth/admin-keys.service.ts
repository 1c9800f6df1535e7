import { Injectable } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { TieredCache } from '../cache';
import { ProblemException } from '../http/problem.exception';
import { AdminKeysRepository, type AdminKeyRow } from './admin-keys.repository';
import type { Actor } from './actor.decorator';
import { AuditLog } from './audit-log';
import type { AdminKeyDto, AdminKeyListDto, CreatedKeyDto, RevokedKeyDto } from './dto/admin-key.dto';
import { digestOf, looksIssued, makeKey, sameDigest } from './issued-key';
import { KeyUsage } from './key-usage';
import type { Principal } from './principal';
import { isScope, scopes as scopeNames, type Scope } from './scopes';

/** Keys that are not revoked. */
export const maxActiveKeys = 200;
const idPattern = /^[0-9a-f]{16}$/;

/** Makes, lists, revokes and recognises the admin keys of the database. */
@Injectable()
export class AdminKeysService {
  constructor(
    private readonly repository: AdminKeysRepository,
    private readonly cache: TieredCache,
    private readonly usage: KeyUsage,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Whose key this is, or undefined when it is nobody's or revoked.
   * @throws DatabaseUnavailableError when neither Redis nor the database can tell
   */
  async recognise(key: string): Promise<Principal | undefined> {
    if (!looksIssued(key)) return undefined;
    const digest = digestOf(key);
    const found = await this.repository.find(digest);
    if (!found || !sameDigest(found.sha256, digest)) return undefined;
    this.usage.note(found.id);
    return { kind: 'key', id: `key:${found.id}`, scopes: new Set(found.scopes.filter(isScope)) };
  }

  /**
   * Makes a key. The answer is the only place where it stands.
   * @throws ProblemException 403 for a scope that the caller lacks, 409 when there are 200 keys
   */
  async create(name: string, scopes: readonly Scope[], actor: Actor): Promise<CreatedKeyDto> {
    const lacking = scopes.filter(scope => !actor.scopes.has(scope));
    if (lacking.length > 0) {
      throw new ProblemException(
        403,
        'FORBIDDEN_SCOPE',
        'Scope missing',
        `A key can hand on only the scopes that it has; it lacks ${lacking.join(', ')}.`,
      );
    }
    const key = makeKey();
    const row = await this.repository.insert(
      {
        id: randomBytes(8).toString('hex'),
        sha256: digestOf(key),
        name,
        scopes: scopeNames.filter(scope => scopes.includes(scope)),
        createdBy: actor.id,
      },
      maxActiveKeys,
    );
    if (!row) {
      throw new ProblemException(
        409,
        'ADMIN_KEYS_TOO_MANY',
        'Too many keys',
        `There are ${maxActiveKeys} keys; revoke one first.`,
      );
    }
    this.audit.record(actor, {
      action: 'key_create',
      target: { key_id: row.id, name, scopes: row.scopes },
      count: 1,
      result: 'applied',
    });
    return { ...describe(row), key };
  }

  async list(): Promise<AdminKeyListDto> {
    const keys = (await this.repository.all()).map(describe);
    return { keys, count: keys.length };
  }

  /**
   * Revokes a key: first in the database, then what Redis holds of it. It ends with the next request on every instance
   * when the answer says `applied`; `queued` means that Redis is away, where every lookup goes to the database anyway.
   * @throws ProblemException 404
   */
  async revoke(id: string, actor: Actor): Promise<RevokedKeyDto> {
    const row = idPattern.test(id) ? await this.repository.revoke(id, actor.id) : null;
    if (!row)
      throw new ProblemException(404, 'ADMIN_KEY_NOT_FOUND', 'Key not found', 'There is no key of this id.');
    const { applied, queued } = await this.cache.invalidate({
      keys: [this.repository.lookupKey(row.sha256)],
    });
    this.audit.record(actor, {
      action: 'key_revoke',
      target: { key_id: row.id, name: row.name },
      count: 1,
      result: applied ? 'applied' : 'queued',
    });
    return { ...describe(row), applied, queued };
  }
}

function describe(row: AdminKeyRow): AdminKeyDto {
  return {
    id: row.id,
    name: row.name,
    scopes: row.scopes.filter(isScope),
    created_at: isoOf(row.createdAt) ?? '',
    created_by: row.createdBy,
    revoked_at: isoOf(row.revokedAt),
    revoked_by: row.revokedBy,
    last_used_at: isoOf(row.lastUsedAt),
  };
}

function isoOf(time: string | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}
