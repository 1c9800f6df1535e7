import { openInstance } from '../measure/instances';
import { agentsOf } from '../measure/payload';
import type { PeerName } from '../measure/peers';

/**
 * `instance NAME SOCKET`: one of several instances. Answers { stampede: key, callers, atNs } with { loads, ms }, { hold: key }
 * with { held }, and { watch: key } with { goneNs } when the key is not held any more.
 */
interface Request {
  readonly stampede?: string;
  readonly callers?: number;
  readonly atNs?: string;
  readonly hold?: string;
  readonly watch?: string;
}

const loaderMs = 50;

async function main(name: PeerName | 'ours', socket: string): Promise<void> {
  let loads = 0;
  let slow = true;
  const load = async (key: string): Promise<unknown> => {
    loads += 1;
    if (slow) await new Promise(resolve => setTimeout(resolve, loaderMs));
    return agentsOf(key.length);
  };
  const instance = await openInstance(name, socket, load);
  const until = (isSo: () => boolean): Promise<void> =>
    new Promise(done => {
      const look = (): void => (isSo() ? done() : void setImmediate(look));
      look();
    });

  const answer = async ({ stampede, callers = 0, atNs, hold, watch }: Request): Promise<object> => {
    if (stampede !== undefined) {
      slow = true;
      loads = 0;
      await until(() => process.hrtime.bigint() >= BigInt(atNs!));
      const beganAtMs = performance.now();
      const found = await Promise.all(Array.from({ length: callers }, () => instance.read(stampede)));
      const ms = performance.now() - beganAtMs;
      if (found.some(value => value === undefined)) throw new Error(`${name}: somebody got nothing`);
      return { loads, ms };
    }
    slow = false;
    if (hold !== undefined) {
      for (let times = 0; times < 3; times += 1) {
        await instance.read(hold);
        await new Promise(resolve => setTimeout(resolve, 5));
      }
      return { held: instance.isHeld!(hold) };
    }
    await until(() => !instance.isHeld!(watch!));
    return { goneNs: String(process.hrtime.bigint()) };
  };
  process.on('message', (request: Request) => void answer(request).then(result => process.send!(result)));
  process.once('disconnect', () => process.exit(0));
  process.send!({ ready: true });
}

void main(process.argv[2] as PeerName | 'ours', process.argv[3]!);
