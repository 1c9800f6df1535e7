import type { Answer } from './report';
import type { Rounds } from './race';

/** What a file of `bench/questions` exports as `question`. */
export interface Question {
  readonly title: string;
  ask(bench: Bench): Promise<readonly Answer[]>;
}

/** What a question is answered with. */
export interface Bench extends Rounds {
  /** `--short`: to see that it works, not to quote. */
  readonly short: boolean;
  /** Path of the unix socket of a private redis-server. */
  readonly redis: string;
}
