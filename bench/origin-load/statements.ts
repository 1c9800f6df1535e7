/**
 * Counts the statements that clients send to a PostgreSQL server, by what goes over the wire (the frontend messages of protocol 3.0):
 * each simple query and each execution of a prepared one. Knows nothing of the application, and sees what its counters leave out.
 */
export class Statements {
  count = 0;

  /** What the bytes of one connection are given to, in their order and in whatever pieces. */
  connection(): (bytes: Buffer) => void {
    let rest: Buffer = Buffer.alloc(0);
    // The first message has no letter in front of its length.
    let letter = 0;
    return bytes => {
      rest = Buffer.concat([rest, bytes]);
      while (rest.length >= letter + 4) {
        const end = letter + rest.readInt32BE(letter);
        if (rest.length < end) return;
        if (letter === 1 && ['Q', 'E'].includes(String.fromCharCode(rest[0]!))) this.count += 1;
        letter = 1;
        rest = rest.subarray(end);
      }
    };
  }
}
