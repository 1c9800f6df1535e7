import {
  bounded,
  noFailure,
  noInvention,
  noResurrection,
  quiescent,
  sameInstance,
  unconfirmedMade,
} from './checks';
import { dynamicKeys, localKeys, versioned } from './keyspace';
import { maxL1StalenessMs } from './node-options';
import type { HistoryRecord, Violation } from './records';
import { singleFlight } from './single-flight';

/** Everything that a history must not show. */
export function judge(history: readonly HistoryRecord[], instances: readonly string[]): Violation[] {
  return [
    ...sameInstance(history),
    ...bounded(history, maxL1StalenessMs),
    ...quiescent(history, versioned, instances),
    ...noResurrection(history),
    ...noInvention(history),
    ...singleFlight(history, {
      instances: instances.length,
      perInstance: localKeys,
      dynamic: dynamicKeys,
    }),
    ...unconfirmedMade(history, instances),
    ...noFailure(history),
  ];
}
