/** A line went on past its limit. */
export class LineTooLongError extends Error {
  constructor(maxBytes: number) {
    super(`a line is longer than ${maxBytes} bytes`);
    this.name = 'LineTooLongError';
  }
}

const lineFeed = 0x0a;

/**
 * The lines of a stream of bytes in UTF-8 (newline-delimited JSON), without empty ones. A last line needs no line feed. No more than
 * `maxBytes` of an unfinished line are held.
 * @throws LineTooLongError
 */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<string, void, undefined> {
  let parts: Uint8Array[] = [];
  let bytes = 0;
  const take = (part: Uint8Array): void => {
    bytes += part.length;
    if (bytes > maxBytes) throw new LineTooLongError(maxBytes);
    if (part.length > 0) parts.push(part);
  };
  const line = (): string => {
    const text = Buffer.concat(parts).toString('utf8').trim();
    [parts, bytes] = [[], 0];
    return text;
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, from)) {
      take(chunk.subarray(from, end));
      from = end + 1;
      const text = line();
      if (text !== '') yield text;
    }
    take(chunk.subarray(from));
  }
  const last = line();
  if (last !== '') yield last;
}
