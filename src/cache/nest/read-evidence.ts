import { Injectable } from '@nestjs/common';
import { ReadSampler } from './read-sampler';

/** What a request asked a cached route for, as far as the key tells it apart. */
export interface RequestParts {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string | readonly string[]>>;
  /** Those that are in the key. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A read that can be made again: a request of a route, or a call of a method. `head` is the first part of its keys. */
export type Repeatable =
  | { readonly head: string; readonly request: RequestParts }
  | { readonly head: string; readonly args: readonly unknown[] };

/** A read with longer arguments than this is not remembered. Characters. */
export const maxMemberLength = 1_024;

/** A read as text, the same for the same read; undefined for one that text cannot hold. */
export function memberOf(read: Repeatable): string | undefined {
  try {
    const what = 'args' in read ? ['m', read.head, read.args] : ['r', read.head, partsOf(read.request)];
    const text = JSON.stringify(what);
    return text.length <= maxMemberLength ? text : undefined;
  } catch {
    return undefined; // a cycle, or a bigint
  }
}

/** The read behind a text; undefined when it is none. */
export function repeatableOf(member: string): Repeatable | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(member);
  } catch {
    return undefined;
  }
  if (!Array.isArray(parsed) || typeof parsed[1] !== 'string' || !Array.isArray(parsed[2])) return undefined;
  const [kind, head, what] = parsed as [unknown, string, unknown[]];
  if (kind === 'm') return { head, args: what };
  if (kind !== 'r' || what.length !== 3) return undefined;
  const [params, query, headers] = what.map(entries => Object.fromEntries(entries as [string, string][]));
  return { head, request: { params: params!, query: query!, headers: headers! } };
}

function partsOf({ params, query, headers }: RequestParts): unknown[] {
  return [params, query, headers].map(part => Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Hears of reads. */
export type EvidenceListener = (policy: string, member: string, weight: number) => void;

/**
 * Tells what is read: of the many reads of users a few, each with how many it stands for. Whoever answers reads asks `due`
 * first, which costs a subtraction, and builds what it would tell only then.
 */
@Injectable()
export class ReadEvidence {
  readonly #sampler = new ReadSampler();
  #listener: EvidenceListener | undefined;
  #weight = 0;

  listen(listener: EvidenceListener): void {
    this.#listener = listener;
  }

  /** Whether the read that is being answered is to be told of. */
  due(): boolean {
    if (this.#listener === undefined) return false;
    this.#weight = this.#sampler.take();
    return this.#weight > 0;
  }

  /** After `due`, in the same turn. */
  tell(policy: string, read: Repeatable): void {
    this.tellMember(policy, memberOf(read));
  }

  /** As `tell`, with what `memberOf` said of the read. */
  tellMember(policy: string, member: string | undefined): void {
    if (member !== undefined) this.#listener?.(policy, member, this.#weight);
  }
}
