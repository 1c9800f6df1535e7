import type { ChildProcess } from 'node:child_process';
import type { FromInstance, ToInstance } from './messages';
import { classes } from './workload';

/** The records behind the cache, and one more of each class for warming up: which version each is of, how long a read of it takes, and how often it was read. */
export class OriginServer {
  readonly #versions = classes.map(each => new Int32Array(each.keys + 1).fill(1));
  /** By class, since the last `takeLoads`. */
  #loads = classes.map(() => 0);

  /** Answers at once, for filling. */
  isInstant = false;

  constructor(private readonly scale: number) {}

  serve(child: ChildProcess): void {
    const answer = (message: ToInstance): void => {
      // One that has just ended waits for nothing.
      if (child.connected) child.send(message, () => undefined);
    };
    child.on('message', (message: FromInstance) => {
      if (message.kind === 'write') {
        const version = (this.#versions[message.of]![message.key]! += 1);
        answer({ kind: 'origin', id: message.id, version });
      } else if (message.kind === 'load') {
        this.#loads[message.of]! += 1;
        // What is read is what there was when it began: nothing is as stale as that.
        const version = this.#versions[message.of]![message.key]!;
        setTimeout(
          () => answer({ kind: 'origin', id: message.id, version }),
          this.isInstant ? 0 : classes[message.of]!.originMs / this.scale,
        );
      }
    });
  }

  takeLoads(): number[] {
    const loads = this.#loads;
    this.#loads = classes.map(() => 0);
    return loads;
  }
}
