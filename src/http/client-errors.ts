import { STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { problemDocument, problemHeaders, type ProblemAnswer } from './problem';

const answers: Readonly<Record<string, ProblemAnswer>> = {
  HPE_HEADER_OVERFLOW: { status: 431, code: 'HEADERS_TOO_LARGE' },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { status: 413, code: 'BODY_TOO_LARGE' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, code: 'REQUEST_TIMEOUT' },
};
const malformed: ProblemAnswer = { status: 400, code: 'REQUEST_MALFORMED', title: 'Malformed request' };
const notAProxy: ProblemAnswer = {
  status: 501,
  code: 'NOT_IMPLEMENTED',
  detail: 'This server opens no tunnels.',
};
const unmetExpectation: ProblemAnswer = {
  status: 417,
  code: 'EXPECTATION_FAILED',
  detail: 'Of expectations only 100-continue is met.',
};

/** The response that is being written on a connection, as Node itself looks at it before it answers such an error. */
type Connection = Duplex & { _httpMessage?: { headersSent: boolean } | null };

/**
 * Answers in our shape what Node refuses before there is a request, and closes the connection: what its parser does not
 * understand, heads and bodies that do not arrive in time, tunnels, and unknown expectations.
 */
export function answerClientErrors(server: Server): void {
  server.on('clientError', (error: NodeJS.ErrnoException, connection: Connection) => {
    // Into an answer that has begun nothing else may be written.
    if (!connection.writable || error.code === 'ECONNRESET' || connection._httpMessage?.headersSent === true)
      connection.destroy();
    else answerRaw(connection, answers[error.code ?? ''] ?? malformed);
  });
  server.on('connect', (_request: IncomingMessage, connection: Duplex) => {
    connection.on('error', () => connection.destroy()); // the client is gone
    answerRaw(connection, notAProxy);
  });
  server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    response.writeHead(unmetExpectation.status, { ...problemHeaders(unmetExpectation), Connection: 'close' });
    response.end(JSON.stringify(problemDocument(unmetExpectation)));
  });
}

function answerRaw(connection: Duplex, answer: ProblemAnswer): void {
  const body = JSON.stringify(problemDocument(answer));
  const headers = {
    ...problemHeaders(answer),
    'Content-Length': String(Buffer.byteLength(body)),
    Connection: 'close',
  };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  connection.end(
    `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}\r\n${head.join('')}\r\n${body}`,
  );
}
