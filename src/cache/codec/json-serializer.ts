import type { ValueSerializer } from '../core';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** JSON, for values that a person should be able to read with redis-cli. Knows what JSON knows: no Date, Map, Set, BigInt. */
export class JsonSerializer implements ValueSerializer {
  readonly id = 2;
  readonly isolation = 'freeze' as const;
  readonly readsBack = true;

  encode(value: unknown): Uint8Array {
    const text = JSON.stringify(value) as string | undefined;
    if (text === undefined) throw new TypeError('the value has no JSON form');
    return Buffer.from(text);
  }

  decode(bytes: Uint8Array): unknown {
    return JSON.parse(utf8.decode(bytes)) as unknown;
  }
}
