import { connect } from 'node:net';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';

/** An answer as it came over the wire: nothing merged, sorted or decoded. */
export interface RawAnswer {
  readonly status: number;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
  /** The one value of a field; undefined when it is not there. @throws Error when it is there twice */
  field(name: string): string | undefined;
  /** The body without its content coding, as text. */
  readonly text: string;
}

/** The request line and fields of a request, as given; `Host` and `Connection: close` are added unless they are there. */
export function requestText(line: string, fields: readonly string[] = [], body = ''): string {
  const has = (name: string): boolean => fields.some(field => field.toLowerCase().startsWith(`${name}:`));
  const all = [...fields];
  if (!has('host')) all.unshift('Host: localhost');
  if (!has('connection')) all.push('Connection: close');
  return `${line} HTTP/1.1\r\n${all.map(field => `${field}\r\n`).join('')}\r\n${body}`;
}

/** Sends bytes as they are and reads until the server closes, or `isWhole` says that all has come. */
export function exchange(
  port: number,
  bytes: string,
  isWhole: (answer: Buffer) => boolean = () => false,
  limitMs = 20_000,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.setTimeout(limitMs, () => socket.destroy(new Error(`no end of the answer after ${limitMs} ms`)));
    socket.on('data', chunk => {
      chunks.push(chunk);
      if (isWhole(Buffer.concat(chunks))) socket.destroy();
    });
    socket.once('error', reject);
    socket.once('close', () => resolve(Buffer.concat(chunks)));
  });
}

/** One request, one answer. `line` is a method and a target: `GET /api/v1/cats`. */
export async function send(
  port: number,
  line: string,
  fields: readonly string[] = [],
  body = '',
): Promise<RawAnswer> {
  return parseAnswer(await exchange(port, requestText(line, fields, body), isWholeStream));
}

/** A stream of events keeps its connection, whatever was asked for: it ends with its last chunk. */
function isWholeStream(answer: Buffer): boolean {
  return answer.includes('Transfer-Encoding: chunked') && answer.subarray(-5).toString() === '0\r\n\r\n';
}

export function parseAnswer(bytes: Buffer): RawAnswer {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0)
    throw new Error(`the answer has no end of its head: ${JSON.stringify(bytes.toString('latin1'))}`);
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]);
  if (status === 100 || status === 103) return parseAnswer(bytes.subarray(end + 4));
  const fields = lines.map(line => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()] as const;
  });
  const field = (name: string): string | undefined => {
    const found = fields.filter(([each]) => each.toLowerCase() === name.toLowerCase());
    if (found.length > 1 && name.toLowerCase() !== 'set-cookie')
      throw new Error(`the field ${name} is there twice`);
    return found[0]?.[1];
  };
  const rest = bytes.subarray(end + 4);
  const body = field('transfer-encoding') === 'chunked' ? unchunked(rest) : rest;
  const coding = field('content-encoding');
  const plain = coding === 'br' ? brotliDecompressSync : coding === 'gzip' ? gunzipSync : undefined;
  return {
    status,
    fields,
    body,
    field,
    get text() {
      return (plain && body.length > 0 ? plain(body) : body).toString('utf8');
    },
  };
}

function unchunked(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const line = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.toString('latin1', at, line), 16);
    if (!(size > 0)) break;
    parts.push(bytes.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
  return Buffer.concat(parts);
}
