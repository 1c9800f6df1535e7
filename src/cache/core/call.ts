import type { Loader } from './loader';
import type { LoadBatch } from './load-batch';
import type { LoadScope, Purpose } from './load-scope';
import type { CachePolicy } from './policy';
import type { AsyncPlace, RemoteKey, TokenName } from './ports';

/** Options of one read. */
export interface CallOptions {
  /** Default: the policy `default`, which is `policyDefaults`. */
  policy?: CachePolicy;
  /** Tags of this entry, in addition to the policy's. */
  tags?: readonly string[];
  /** The loader may add tags with `load.addTags`. Costs a reload when any tag is invalidated during the load. Default false. */
  dynamicTags?: boolean;
  /** This caller waits so long, in milliseconds, and then gets `CacheDeadlineError`; the load goes on. Default: the policy's. */
  deadlineMs?: number;
  /**
   * A hit with less fresh life left than this, in milliseconds, starts a refresh behind the answer, as the policy's
   * `refreshAheadFraction` does; a function gets the value. Default: as the policy says.
   */
  refreshWithinMs?: number | ((value: unknown) => number | undefined);
  /** Aborting rejects this caller only. */
  signal?: AbortSignal;
}

/** A read on its way, with everything that has been worked out about it. */
export interface Call {
  readonly key: string;
  /** Name of the key in this process. */
  readonly name: string;
  readonly remoteKey: RemoteKey;
  readonly policy: CachePolicy;
  readonly loader: Loader<unknown> | undefined;
  /** What the entry will depend on: namespace, policy's and call's tags, for a local entry its key. */
  readonly tokens: readonly TokenName[];
  readonly dynamicTags: boolean;
  readonly scope: LoadScope | undefined;
  /** Where it was made: its loader runs there, and there it is answered. */
  readonly place: AsyncPlace;
  readonly purpose: Purpose;
  /** The call of many keys that this is a part of. */
  readonly batch: LoadBatch | undefined;
  /** A refresh behind an answer already given, of the entry with this fill id. */
  readonly refreshOf: string | undefined;
}
