/** One thing that can happen next. */
export interface Move<S> {
  label: string;
  /** Happens in a copy of its own. */
  happen(state: S): void;
}

/** Processes that take turns in any order. States are plain data: they are copied and compared as JSON. */
export interface System<S> {
  start: S;
  /** What can happen in a state; nothing: the run is over. Optional moves may also never happen. */
  moves(state: S): { must: Move<S>[]; may: Move<S>[] };
  /** What is wrong with a state; `over` when nothing is left that must happen. */
  wrong(state: S, over: boolean): string | undefined;
}

export interface Exploration {
  /** Distinct states met. */
  states: number;
  /** Ways from the start to an end. */
  interleavings: number;
  /** The first thing that went wrong, with what happened before it. */
  violation: { what: string; trace: string[] } | undefined;
}

/**
 * Every order in which processes can take their turns, depth first. A state that was met before is not walked again: what follows
 * from it does not depend on how it was reached. Stops at the first violation.
 */
export function explore<S>(system: System<S>): Exploration {
  const ways = new Map<string, number>();
  const trace: string[] = [];
  let violation: Exploration['violation'];

  const walk = (key: string): number => {
    const known = ways.get(key);
    if (known !== undefined) return known;
    // No system here goes round in circles; should one, it must not hang.
    ways.set(key, 0);
    const state = JSON.parse(key) as S;
    const { must, may } = system.moves(state);
    const over = must.length === 0;
    const what = system.wrong(state, over);
    if (what !== undefined) {
      violation ??= { what, trace: [...trace] };
      return 0;
    }
    let count = over ? 1 : 0;
    for (const move of [...must, ...may]) {
      const next = JSON.parse(key) as S;
      move.happen(next);
      trace.push(move.label);
      count += walk(JSON.stringify(next));
      trace.pop();
      if (violation) return 0;
    }
    ways.set(key, count);
    return count;
  };

  const interleavings = walk(JSON.stringify(system.start));
  return { states: ways.size, interleavings, violation };
}
