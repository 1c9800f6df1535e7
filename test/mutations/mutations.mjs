/**
 * The mechanisms of the protocol, each with the change that takes it out. `npm run mutations` applies them one at a time to
 * a copy of the source and runs the tests named here; at least one must fail. `find` must occur exactly once.
 *
 * @typedef {{ name: string, file: string, find: string, replace: string, tests: string[] }} Mutation
 */

const parity = 'test/integration/parity.spec.ts';
const coherence = 'test/integration/coherence.spec.ts';
const outage = 'test/integration/outage.spec.ts';
const taint = 'test/integration/taint.spec.ts';
const core = 'src/cache/core';
const tier = 'test/integration/redis-tier.spec.ts';
const cluster = 'test/integration/cluster.spec.ts';
const clusterFaults = 'test/integration/cluster-faults.spec.ts';

/** @type {Mutation[]} */
export const mutations = [
  {
    name: 'lease: a fill needs it',
    file: 'src/cache/redis/scripts.ts',
    find: "if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end",
    replace: '',
    tests: [parity, coherence],
  },
  {
    name: 'lease: one load in the cluster',
    file: 'src/cache/redis/scripts.ts',
    find: "if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then return {2} end",
    replace: "if redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2]) then return {2} end",
    tests: [parity, coherence],
  },
  {
    name: 'lease: an invalidation removes it with the data',
    file: 'src/cache/redis/scripts.ts',
    find: "if redis.call('EXISTS', l) == 1 then",
    replace: 'if false then',
    tests: [parity, coherence],
  },
  {
    name: 'inv: a cold load elsewhere is announced',
    file: 'src/cache/redis/scripts.ts',
    find: "redis.call('RENAME', l, d)\n      redis.call('UNLINK', d)",
    replace: "redis.call('UNLINK', l)",
    tests: [coherence],
  },
  {
    name: 'set: it removes the lease',
    file: 'src/cache/redis/scripts.ts',
    find: 'removeKey(KEYS[1], KEYS[2], KEYS[3], KEYS[4])\nredis',
    replace: 'redis',
    tests: [coherence],
  },
  {
    name: 'set: a lower version does not replace a higher one',
    file: 'src/cache/redis/scripts.ts',
    find: "if type(stored) == 'string' and #stored == 8 and struct.unpack('>d', stored) > version then return -2 end",
    replace: '',
    tests: [coherence],
  },
  {
    name: 'tokens: an entry depends on them',
    file: 'src/cache/core/shared-reader.ts',
    find: 'if (!isValid(entry.tokens, name => current.get(name))) {',
    replace: 'if (entry.tokens.length < 0) {',
    tests: [parity, coherence],
  },
  {
    name: 'tokens: captured before the loader, not after it',
    file: 'src/cache/core/loading.ts',
    find: 'const encoded = loaded.isPrivate ? undefined : this.#encode(call, loaded);\n    if (!encoded) {\n      this.#release(flight);',
    replace:
      'for (const name of flight.captured.keys()) { const now = (await this.parts.shared!.store.ensureTokens([name], 60_000))[0]!; flight.captured.set(name, now); }\n    const encoded = loaded.isPrivate ? undefined : this.#encode(call, loaded);\n    if (!encoded) {\n      this.#release(flight);',
    tests: [parity, coherence],
  },
  {
    name: 'tokens: L1 compares them',
    file: 'src/cache/core/near-cache.ts',
    find: 'if (entry.records[index]!.token !== entry.tokens[index]) return undefined;',
    replace: '',
    tests: [parity, coherence],
  },
  {
    name: 'dynamic tags: `!any` is checked again',
    file: 'src/cache/core/loading.ts',
    find: 'if (!lateTokensHold(flight.captured.get(anyToken), after.tokens[0])) return false;',
    replace: '',
    tests: [coherence],
  },
  {
    name: 'fence: an invalidation detaches loads here',
    file: 'src/cache/core/invalidator.ts',
    find: "this.parts.flights.detach(name);\n    this.parts.memory.changed(name, 'invalidated');",
    replace: "this.parts.memory.changed(name, 'invalidated');",
    tests: [core],
  },
  {
    name: 'taint: what a change has overtaken on its way does not enter L1',
    file: 'src/cache/core/lookup.ts',
    find: 'if (call.remoteKey.tracked && mayCopy(flight.tainted, leftMs)) {',
    replace: 'if (call.remoteKey.tracked && mayCopy(false, leftMs)) {',
    tests: [taint],
  },
  {
    name: 'detach: a changed token ends a load under way',
    file: 'src/cache/core/invalidator.ts',
    find: 'if (flight.ended || read?.tokens[0] === flight.captured.get(token)) return;',
    replace: 'if (flight.ended || read) return;',
    tests: [coherence],
  },
  {
    name: 'messages: L1 drops what changed',
    file: 'src/cache/core/invalidator.ts',
    find: 'if (name === undefined) return;\n    this.parts.near.drop(name);',
    replace: 'if (name === undefined) return;',
    tests: [parity, coherence],
  },
  {
    name: 'flush: a lost tracking connection makes L1 suspect, a new one empties it',
    file: 'src/cache/core/invalidator.ts',
    find: 'flush(reason: FlushReason, part?: NamePart): void {',
    replace:
      'flush(reason: FlushReason, part?: NamePart): void {\n    if (reason !== "server_flushed") return;',
    tests: [coherence],
  },
  {
    name: 'gate: L1 is not served when it is shut',
    file: 'src/cache/core/near-cache.ts',
    find: 'if (!entry.gates[index]!.isOpen(nowMs)) return undefined;',
    replace: '',
    tests: [coherence, outage],
  },
  {
    name: 'nested reads: L1 is not trusted inside a loader',
    file: 'src/cache/core/lookup.ts',
    find: '(scope?.load === undefined || !this.parts.shared) &&',
    replace: '',
    tests: [coherence],
  },
  {
    name: 'nested reads: the outer entry takes the inner tokens along',
    file: 'src/cache/core/loading.ts',
    find: 'if (!inherit(flight.captured, tokens)) flight.overtaken = true;',
    replace: '',
    tests: [coherence, core],
  },
  {
    name: 'nested reads: on both sides of a change nothing is stored',
    file: 'src/cache/core/loading.ts',
    find: 'if (!inherit(flight.captured, tokens)) flight.overtaken = true;',
    replace: 'inherit(flight.captured, tokens);',
    tests: [core],
  },
  {
    name: 'pending: what it concerns is not read from Redis before it has been made',
    file: 'src/cache/core/parts.ts',
    find: 'if (log.pending > 0) {',
    replace: 'if (log.pending < 0) {',
    tests: [outage],
  },
  {
    name: 'pending: a token to be removed does not count as valid',
    file: 'src/cache/core/shared-reader.ts',
    find: 'this.log.concernsToken(name) ? undefined : values[index]',
    replace: 'values[index]',
    tests: [outage],
  },
  {
    name: 'replay: queued invalidations are made when Redis is back',
    file: 'src/cache/core/invalidator.ts',
    find: 'this.parts.log.addPending(keys, tokens);',
    replace: '',
    tests: [outage],
  },
  {
    name: 'drain: an open breaker over a connection that stands does not end it',
    file: 'src/cache/core/invalidator.ts',
    find: 'if (!shared?.store.available) return this.#planDrain();',
    replace: 'if (!shared?.store.available) return;',
    tests: [outage],
  },
  {
    name: 'leases: one whose command failed is given back',
    file: 'src/cache/core/lookup.ts',
    find: 'this.parts.leases.release(call.remoteKey, token);',
    replace: '',
    tests: [outage],
  },
  {
    name: 'refresh: nobody joins it who can read',
    file: 'src/cache/core/single-flight.ts',
    find: 'const table = refresh ? this.#refreshes : this.#byName;',
    replace: 'const table = this.#byName;',
    tests: [coherence],
  },
  {
    name: 'own tokens of an outage stay apart',
    file: 'src/cache/core/loading.ts',
    find: 'return (this.parts.ownTokens.record(name).token ??= this.parts.hash.randomToken());',
    replace: 'return (this.parts.tokens.record(name).token ??= this.parts.hash.randomToken());',
    tests: [outage],
  },
  {
    name: 'age: what is copied to L1 has the life that is left',
    file: 'src/cache/core/shared-reader.ts',
    find: 'this.#timed(entry, held, Math.max(ageMs, 0))',
    replace: 'this.#timed(entry, held, 0)',
    tests: [parity],
  },
  {
    name: 'checksum',
    file: 'src/cache/core/entry.ts',
    find: "return 'checksum';",
    replace: '{}',
    tests: [coherence, core],
  },
  {
    name: 'clear by pattern: leases go too',
    file: 'src/cache/core/protocol.ts',
    find: "['l', 'd', 'x', 'k'] as const",
    replace: "['d', 'x', 'k'] as const",
    tests: [coherence],
  },
  {
    name: 'isolation: plain values are frozen',
    file: 'src/cache/core/entry-codec.ts',
    find: 'Object.freeze(value);',
    replace: '',
    tests: [parity],
  },
  {
    name: 'local entries: a key’s token reaches them',
    file: 'src/cache/core/lookup.ts',
    find: "if (shared && policy.tier === 'local') tokens.add(keyToken(encoded));",
    replace: '',
    tests: [coherence],
  },
  {
    name: 'canaries: one that was not heard is not used again',
    file: 'src/cache/redis/canaries.ts',
    find: 'if (free === undefined) {\n      this.renew();\n      free = this.#free()!;\n    }',
    replace: 'free ??= [...this.#sentAtMs.keys()][0]!;',
    tests: ['src/cache/redis/canaries.spec.ts', 'src/cache/redis/tracker.spec.ts'],
  },
  {
    name: 'tracking: a tracker that hears nothing says so',
    file: 'src/cache/redis/tracker.ts',
    find: 'this.#say(this.#refusal ?? `no canary received within ${maxL1StalenessMs} ms`);',
    replace: '',
    tests: ['src/cache/redis/tracker.spec.ts', tier],
  },
  {
    name: 'connections: writes have their own, so that reads are not held up',
    file: 'src/cache/redis/single-topology.ts',
    find: "clients.data('writes')]",
    replace: "clients.data('reads')]",
    tests: [tier],
  },
  {
    name: 'identity: another server than before is told what was invalidated lately',
    file: 'src/cache/redis/redis-node.ts',
    find: 'const sameServer = this.#runId === runId;',
    replace: 'const sameServer = this.#runId === runId || this.#runId !== undefined;',
    tests: [tier],
  },
  {
    name: 'durable: it waits for replicas',
    file: 'src/cache/redis/durable-writes.ts',
    find: 'if ((await redis.wait(replicas, Math.min(leftMs, sliceMs))) >= replicas) return true;',
    replace: 'return true;',
    tests: [tier],
  },
  {
    name: 'READONLY: a server that became a replica is left',
    file: 'src/cache/redis/redis-node.ts',
    find: "if (reasonOf(cause) === 'READONLY') this.#replaceReplica();",
    replace: '',
    tests: [tier],
  },
  {
    name: 'touch: known tokens are touched',
    file: 'src/cache/redis/redis-store.ts',
    find: 'this.#topology.reads.touch(...part)',
    replace: 'Promise.resolve(part)',
    tests: [tier],
  },
  {
    name: 'Cluster: a node is not used before its connections stand',
    file: 'src/cache/redis/cluster-topology.ts',
    find: "if (redis?.status === 'wait') await redis.connect();\n      if (redis?.status !== 'ready')",
    replace: 'if (!redis)',
    tests: [cluster],
  },
  {
    name: 'Cluster: `!any` goes before the tags',
    file: 'src/cache/redis/invalidations.ts',
    find: 'if (first) await make(first);\n    const anyFailed = failures.length > 0;\n    await Promise.all(then.map(make));',
    replace:
      'await Promise.all(then.map(make));\n    if (first) await make(first);\n    const anyFailed = failures.length > 0;',
    tests: [cluster],
  },
  {
    name: 'Cluster: a changed map of slots empties L1',
    file: 'src/cache/redis/cluster-topology.ts',
    find: "this.options.listener.flush('topology_changed');",
    replace: '',
    tests: [cluster],
  },
  {
    name: 'Cluster: keys of a slot that is moving are removed one by one',
    file: 'src/cache/redis/invalidations.ts',
    find: 'await this.#sendOneByOne(removal);',
    replace: 'throw error;',
    tests: [cluster],
  },
  {
    name: 'Cluster: a clear behind which slots have moved goes through once more',
    file: 'src/cache/redis/clear-matching.ts',
    find: 'if (isSettled || options.dryRun) break;',
    replace: 'break;',
    tests: [clusterFaults],
  },
  {
    name: 'Cluster: only what the lost node had loses its copies in L1',
    file: 'src/cache/redis/cluster-topology.ts',
    find: 'flush: reason => listener.flush(reason, part),',
    replace: 'flush: reason => listener.flush(reason),',
    tests: [clusterFaults],
  },
];
