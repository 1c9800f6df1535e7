import type { HistoryRecord } from './records';
import type { Change } from './source';

/** From the child to its parent. */
export type FromChild =
  | { kind: 'records'; records: HistoryRecord[]; isWell: boolean }
  | { kind: 'ask'; id: number; question: Question }
  | { kind: 'done'; id: number; measures: Measures }
  | { kind: 'failed'; id: number; what: string }
  | { kind: 'ready' };

/** What the child wants to know of the source. */
export type Question =
  | { ask: 'sample'; key: string }
  | { ask: 'change'; change: Change }
  | { ask: 'lock'; key: string }
  | { ask: 'unlock'; key: string; afterMs: number };

/** From the parent to the child. */
export type ToChild =
  { kind: 'order'; id: number; order: Order } | { kind: 'answer'; id: number; answer: unknown };

export type Order = 'start' | 'stop' | 'read-all' | 'measure' | 'close';

/** How a process is. */
export interface Measures {
  heapBytes: number;
  openFiles: number;
  unhandledRejections: number;
}

/** What a child is started with. */
export interface ChildOptions {
  inst: string;
  seed: number;
  port: number;
  dataPort: number;
  trackerPort: number;
  readers: number;
  writers: number;
}
