import type { ContentCoding } from './content-coding';
import type { Representation } from './representation';
import type { StoredResponse } from './stored-response';

/** What the head of an answer of one target depends on. */
export interface HeadOf {
  readonly stored: StoredResponse;
  readonly representation: Representation;
  /** Whole seconds in the cache. */
  readonly age: number;
  /** Whole seconds of fresh life left. */
  readonly fresh: number;
  /** What `Vary` was on the response before. */
  readonly vary: string | undefined;
}

interface Kept {
  /** A number and not the response: a head that nobody asks for any more must not keep a body in memory. */
  readonly serial: number;
  readonly age: number;
  readonly fresh: number;
  readonly vary: string | undefined;
  readonly fields: readonly string[];
}

const rowOf: Readonly<Record<ContentCoding | 'identity', number>> = { identity: 0, br: 2, gzip: 4 };

/**
 * The heads that a target has sent last, one for each coding, with content and without. All answers of one second have the
 * same, and putting it together costs more than everything else that the fast way does.
 */
export class LastHeads {
  readonly #kept: (Kept | undefined)[] = [undefined, undefined, undefined, undefined, undefined, undefined];

  /** The fields of such a head, made by `make` unless the last one of this form was the same. Not to be changed. */
  fields(head: HeadOf, make: (head: HeadOf) => readonly string[]): readonly string[] {
    const { coding, isNotModified } = head.representation;
    const at = rowOf[coding ?? 'identity'] + (isNotModified ? 1 : 0);
    const { serial } = head.stored;
    const last = this.#kept[at];
    if (
      last?.serial === serial &&
      last.age === head.age &&
      last.fresh === head.fresh &&
      last.vary === head.vary
    )
      return last.fields;
    const fields = make(head);
    this.#kept[at] = { serial, age: head.age, fresh: head.fresh, vary: head.vary, fields };
    return fields;
  }
}
