import { cacheNode } from '../integration/cache-node';
import { RedisServer } from '../integration/redis-server';
import { SharedClock } from './hrtime';
import { LocalInstance } from './instance';
import { nodeOptions } from './node-options';
import { countUnhandledRejections, measure } from './measures';
import type { ChildOptions, FromChild, Order, Question, ToChild } from './messages';
import { Random } from './random';
import type { HistoryRecord } from './records';
import type { Truth } from './source';
import { TieredSubject } from './subject';

/**
 * The program of an instance in a process of its own. It asks its parent for the truth, does what it is told, and sends
 * its records. It ends by itself when the cache is closed: anything that kept it alive would be a leak.
 */
const recordsEveryMs = 50;

const options = JSON.parse(process.argv[2]!) as ChildOptions;
const questions = new Map<number, (answer: unknown) => void>();
let asked = 0;
let records: HistoryRecord[] = [];

const send = (message: FromChild): void => {
  // Without its parent nobody wants it any more.
  if (process.connected) process.send!(message);
  else process.exit(1);
};
const ask = <T>(question: Question): Promise<T> =>
  new Promise(resolve => {
    asked += 1;
    questions.set(asked, resolve as (answer: unknown) => void);
    send({ kind: 'ask', id: asked, question });
  });
const truth: Truth = {
  sample: key => ask({ ask: 'sample', key }),
  change: change => ask({ ask: 'change', change }),
  lock: key => ask({ ask: 'lock', key }),
  unlock: (key, afterMs) => ask({ ask: 'unlock', key, afterMs }),
};

countUnhandledRejections();
const clock = new SharedClock();
const { dataPort, trackerPort } = options;
const redis = RedisServer.at(options.port);
const cache = cacheNode(redis, { ...nodeOptions, clock, dataPort, trackerPort });
const instance = new LocalInstance({
  name: options.inst,
  subject: new TieredSubject(cache),
  truth,
  clock,
  random: new Random(options.seed),
  record: record => void records.push(record),
  readers: options.readers,
  writers: options.writers,
});

const deliver = (): void => {
  send({ kind: 'records', records, isWell: instance.isWell() });
  records = [];
};
const delivery = setInterval(deliver, recordsEveryMs);

const obey: Record<Order, () => Promise<void>> = {
  start: () => instance.start(),
  stop: () => instance.stop(),
  'read-all': () => instance.readAll(),
  measure: async () => undefined,
  close: async () => {
    clearInterval(delivery);
    await instance.close();
    await redis.stop();
  },
};

process.on('message', (message: ToChild) => {
  if (message.kind === 'answer') {
    questions.get(message.id)?.(message.answer);
    questions.delete(message.id);
    return;
  }
  obey[message.order]().then(
    () => {
      deliver();
      send({ kind: 'done', id: message.id, measures: measure() });
      if (message.order !== 'close') return;
      process.off('disconnect', orphaned);
      process.disconnect();
    },
    (error: unknown) => send({ kind: 'failed', id: message.id, what: String(error) }),
  );
});
const orphaned = (): void => process.exit(1);
process.on('disconnect', orphaned);
send({ kind: 'ready' });
