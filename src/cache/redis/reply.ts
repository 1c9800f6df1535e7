/**
 * A reply that the command cannot have. Bytes were damaged on the way, and since replies are told apart by their order
 * alone, what comes after it on this connection may belong to other commands: the connection is not to be used any more.
 */
export class UnexpectedReplyError extends Error {
  override readonly name = 'UnexpectedReplyError';

  constructor(readonly command: string) {
    super(`unexpected reply to ${command}`);
  }
}

/** What every reply has to pass before anybody believes it. @throws UnexpectedReplyError */
export function checkReply(command: string, isExpected: boolean): void {
  if (!isExpected) throw new UnexpectedReplyError(command);
}

/** As many values as were asked for, each of them bytes or nothing. */
export function areValues(reply: unknown, count: number): reply is (Buffer | null)[] {
  return (
    Array.isArray(reply) &&
    reply.length === count &&
    reply.every(value => value === null || Buffer.isBuffer(value))
  );
}

/** `[1, entry]`, `[2]` or `[3, milliseconds]`. */
export function isLeaseReply(reply: unknown): reply is [number, (Buffer | number)?] {
  if (!Array.isArray(reply)) return false;
  if (reply[0] === 1) return Buffer.isBuffer(reply[1]);
  return reply[0] === 2 || (reply[0] === 3 && Number.isFinite(reply[1]));
}

export function areTexts(reply: unknown, count: number): reply is string[] {
  return Array.isArray(reply) && reply.length === count && reply.every(text => typeof text === 'string');
}

/** A cursor and names. Our names are printable ASCII; one that is not would be a key that a clear passes by. */
export function isScanReply(reply: unknown): reply is [cursor: string, names: string[]] {
  if (!Array.isArray(reply) || reply.length !== 2) return false;
  const [cursor, names] = reply as [unknown, unknown];
  return (
    typeof cursor === 'string' &&
    /^\d+$/.test(cursor) &&
    Array.isArray(names) &&
    names.every(name => typeof name === 'string' && /^[\x21-\x7e]+$/.test(name))
  );
}
