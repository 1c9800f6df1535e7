/** What a handler returned, as the bytes that Nest and Express would send for it. */
export interface RenderedBody {
  readonly body: Uint8Array;
  /** Undefined when the response has none, as for an empty one. */
  readonly contentType: string | undefined;
}

/** Express's application settings that have a say in JSON. */
export interface JsonSettings {
  readonly replacer?:
    ((this: unknown, key: string, value: unknown) => unknown) | (string | number)[] | null | undefined;
  readonly spaces?: string | number | undefined;
  /** Escape `<`, `>` and `&`. */
  readonly escape?: boolean | undefined;
}

const empty = new Uint8Array(0);

/**
 * Renders a handler's result the way `ExpressAdapter.reply` does: nothing for null and undefined, JSON for objects, text
 * for everything else. A copy of their rules, because a response that is written by them cannot be read back; the test
 * compares the two byte by byte.
 *
 * @param contentType as set by the handler, if it set one
 * @throws TypeError for an object that JSON cannot represent, as Express does
 */
export function renderBody(
  result: unknown,
  contentType: string | undefined,
  json: JsonSettings = {},
): RenderedBody {
  if (result === undefined || result === null) return { body: empty, contentType };
  if (typeof result === 'object') {
    const text = stringify(result, json);
    return {
      body: Buffer.from(text ?? '', 'utf8'),
      contentType: withCharset(contentType ?? 'application/json'),
    };
  }
  // eslint-disable-next-line @typescript-eslint/no-base-to-string -- not an object: those are JSON
  return { body: Buffer.from(String(result), 'utf8'), contentType: withCharset(contentType ?? 'text/html') };
}

function stringify(value: unknown, { replacer, spaces, escape }: JsonSettings): string | undefined {
  const text = JSON.stringify(value, replacer as (string | number)[] | null, spaces) as string | undefined;
  if (!escape) return text;
  return text?.replace(/[<>&]/g, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function withCharset(contentType: string): string {
  return `${contentType.replace(/\s*;\s*charset\s*=\s*("[^"]*"|[^;\s]*)/i, '').trim()}; charset=utf-8`;
}
