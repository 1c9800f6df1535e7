import { compileFunction } from 'node:vm';

type Read = (key: string) => unknown;
type Loop = (read: Read, keys: readonly string[], times: number) => Promise<number>;

/**
 * Loops that await one read after the other and tell how many found nothing. Each contender gets a copy of its own: V8 keeps
 * what it has learned of a call with the source of the loop, and contenders that share one slow each other down.
 */
export function readyKeys(name: string): Loop {
  return compiled(name, 'keys[at]');
}

/** The same, with the key put together for each read, as a caller does. */
export function builtKeys(name: string): Loop {
  return compiled(name, "'agents:one|' + at");
}

export function keyAt(at: number): string {
  return `agents:one|${at}`;
}

/** As many different keys are read in turn. A power of two. */
export const keyCount = 1_024;

function compiled(name: string, key: string): Loop {
  const source = `// ${name}
  return (async () => {
    let missing = 0;
    for (let time = 0; time < times; time += 1) {
      const at = (time * 37) & ${keyCount - 1};
      if ((await read(${key})) === undefined) missing += 1;
    }
    return missing;
  })();`;
  return compileFunction(source, ['read', 'keys', 'times'], { filename: `loop-${name}` }) as Loop;
}
