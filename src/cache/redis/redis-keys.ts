import { CacheOptionsError, keyOfToken, keyToken, quoteKey, type TokenName } from '../core';

/** Version of the entry format: part of every key, so that deployments with different formats never meet. */
const formatVersion = 1;

/**
 * The keys of one namespace in Redis. Everything that a script touches together stands in one hash slot, by the braces
 * around the encoded key.
 *
 *     ns:d:{key}  data that may have copies in L1 (tracked)     ns:t:{tag}  tag token (tracked)
 *     ns:x:{key}  data without such copies                      ns:k:{key}  token of a local-tier key (tracked)
 *     ns:l:{key}  lease                                         ns:~:inst:n canaries of an instance (tracked)
 *     ns:w:{job}  lead in a job; :e epoch, :c how far it has     ns:r        identity of the server, as last greeted
 *                 come, :r the round that is over                ns:h:{name} ranking; hh while it is not to be halved
 *     ns:b:{name} board of notices, one an instance
 *
 * In a Cluster canaries and identities end in a hash tag whose slot their node has.
 */
export class RedisKeys {
  readonly prefix: string;

  /** @throws CacheOptionsError when the namespace could be mistaken for a part of another one's keys */
  constructor(namespace: string) {
    if (!/^[A-Za-z0-9._-]{1,64}$/.test(namespace)) {
      throw new CacheOptionsError(
        `namespace must be 1 to 64 of the characters A-Z a-z 0-9 . _ -, not ${quoteKey(String(namespace))}`,
      );
    }
    this.prefix = `${namespace}:${formatVersion}:`;
  }

  data(encoded: string, tracked: boolean): string {
    return `${this.prefix}${tracked ? 'd' : 'x'}:{${encoded}}`;
  }

  lease(encoded: string): string {
    return `${this.prefix}l:{${encoded}}`;
  }

  token(name: TokenName): string {
    const key = keyOfToken(name);
    return key === undefined ? `${this.prefix}t:{${name}}` : `${this.prefix}k:{${key}}`;
  }

  /** What an invalidation of a key removes, in the order in which the scripts expect it. */
  ofKey(encoded: string): [data: string, untracked: string, lease: string, keyToken: string] {
    return [
      this.data(encoded, true),
      this.data(encoded, false),
      this.lease(encoded),
      this.token(keyToken(encoded)),
    ];
  }

  /** In the order in which the scripts expect it. */
  lead(job: string): [lead: string, epoch: string, progress: string, round: string] {
    const lead = `${this.prefix}w:{${encodeURIComponent(job)}}`;
    return [lead, `${lead}:e`, `${lead}:c`, `${lead}:r`];
  }

  ranking(name: string): [ranking: string, halved: string] {
    const inner = `{${encodeURIComponent(name)}}`;
    return [`${this.prefix}h:${inner}`, `${this.prefix}hh:${inner}`];
  }

  board(name: string): string {
    return `${this.prefix}b:{${encodeURIComponent(name)}}`;
  }

  /** `hashTag` puts it into a slot of the node that it is written to; '' where there are no slots. */
  canary(instance: string, name: string, hashTag = ''): string {
    return `${this.canaryPrefix(instance)}${name}${inBraces(hashTag)}`;
  }

  /** Holds which server has been greeted here last. */
  serverIdentity(hashTag = ''): string {
    return `${this.prefix}r${inBraces(hashTag)}`;
  }

  /** Ends in a colon: an instance `i1` must not hear the canaries of `i10`. */
  canaryPrefix(instance: string): string {
    return `${this.prefix}~:${instance}:`;
  }

  /** Prefixes whose changes L1 must hear of. */
  trackedPrefixes(instance: string): string[] {
    return [`${this.prefix}d:`, `${this.prefix}t:`, `${this.prefix}k:`, this.canaryPrefix(instance)];
  }

  /** What a changed key means; undefined for keys that are none of ours. */
  meaningOf(
    redisKey: string,
  ): { kind: 'key'; encoded: string } | { kind: 'token'; token: TokenName } | undefined {
    if (!redisKey.startsWith(this.prefix) || !redisKey.endsWith('}')) return undefined;
    const open = this.prefix.length + 3;
    if (redisKey.slice(this.prefix.length + 1, open) !== ':{') return undefined;
    const inner = redisKey.slice(open, -1);
    const kind = redisKey[this.prefix.length];
    if (kind === 'd') return { kind: 'key', encoded: inner };
    if (kind === 't') return { kind: 'token', token: inner };
    if (kind === 'k') return { kind: 'token', token: keyToken(inner) };
    return undefined;
  }
}

/** What the slot of an encoded key, or of a token, is worked out from: what stands in the braces of its keys. */
export function hashTagOf(encodedOrToken: string): string {
  return keyOfToken(encodedOrToken) ?? encodedOrToken;
}

/** What the slot of a whole key is worked out from (Redis Cluster specification, "Hash tags"). */
export function hashTagIn(redisKey: string): string {
  return /^[^{]*\{([^}]+)\}/.exec(redisKey)?.[1] ?? redisKey;
}

function inBraces(hashTag: string): string {
  return hashTag === '' ? '' : `{${hashTag}}`;
}
