import { definePolicy } from '../../src/cache/core';
import { cacheNode } from '../integration/cache-node';
import { RedisServer } from '../integration/redis-server';
import type { ChildAnswer, ChildOptions, FromChild, ToChild } from './child-messages';

/** The program of an instance in a process of its own, to be stopped and killed. Its loaders ask the parent for their values. */
const { redisPort, ...rest } = JSON.parse(process.argv[2]!) as ChildOptions;
const cache = cacheNode(RedisServer.at(redisPort), rest);
const loading = new Map<number, (value: unknown) => void>();

const send = (message: FromChild): void => void process.send!(message);

const load = (key: string): Promise<unknown> =>
  new Promise(resolve => {
    const id = loading.size + 1;
    loading.set(id, resolve);
    send({ kind: 'load', id, key });
  });

async function answer(message: Exclude<ToChild, { kind: 'loaded' }>): Promise<ChildAnswer> {
  switch (message.kind) {
    case 'lookup': {
      const { key } = message;
      return {
        lookup: await cache.lookup(key, () => load(key), { policy: definePolicy('child', message.policy) }),
      };
    }
    case 'status':
      return { gateOpen: cache.status().gate.open };
    case 'close':
      await cache.close();
      return {};
  }
}

const orphaned = (): void => process.exit(1);
process.on('disconnect', orphaned);
process.on('message', (message: ToChild) => {
  if (message.kind === 'loaded') return loading.get(message.id)!(message.value);
  void answer(message)
    .catch((error: Error): ChildAnswer => ({ error: error.message }))
    .then(said => {
      send({ kind: 'answer', id: message.id, answer: said });
      if (message.kind !== 'close') return;
      // Nothing may keep it alive now.
      process.off('disconnect', orphaned);
      process.disconnect();
    });
});
send({ kind: 'ready' });
