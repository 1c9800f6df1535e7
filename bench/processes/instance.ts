import { openInstance } from '../measure/instances';
import { agentsOf } from '../measure/payload';
import type { PeerName } from '../measure/peers';

/**
 * `instance NAME SOCKET`: one of several instances. Answers { key, callers, atNs } with { loads, ms }.
 */
interface Request {
  readonly key: string;
  readonly callers: number;
  /** When all begin, by the clock that processes share. */
  readonly atNs: string;
}

const loaderMs = 50;

async function main(name: PeerName | 'ours', socket: string): Promise<void> {
  let loads = 0;
  const load = async (key: string): Promise<unknown> => {
    loads += 1;
    await new Promise(resolve => setTimeout(resolve, loaderMs));
    return agentsOf(key.length);
  };
  const instance = await openInstance(name, socket, load);
  const until = (ns: bigint): Promise<void> =>
    new Promise(done => {
      const look = (): void => (process.hrtime.bigint() >= ns ? done() : void setImmediate(look));
      look();
    });

  const answer = async ({ key, callers, atNs }: Request): Promise<object> => {
    loads = 0;
    await until(BigInt(atNs));
    const beganAtMs = performance.now();
    const found = await Promise.all(Array.from({ length: callers }, () => instance.read(key)));
    const ms = performance.now() - beganAtMs;
    if (found.some(value => value === undefined)) throw new Error(`${name}: somebody got nothing`);
    return { loads, ms };
  };
  process.on('message', (request: Request) => void answer(request).then(result => process.send!(result)));
  process.once('disconnect', () => process.exit(0));
  process.send!({ ready: true });
}

void main(process.argv[2] as PeerName | 'ours', process.argv[3]!);
