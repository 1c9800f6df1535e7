import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { problemDocument, problemHeaders, type ProblemAnswer } from './problem';
import { STATUS_CODES } from 'node:http';

const answers: Readonly<Record<string, ProblemAnswer>> = {
  HPE_HEADER_OVERFLOW: { status: 431, code: 'HEADERS_TOO_LARGE' },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { status: 413, code: 'BODY_TOO_LARGE' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, code: 'REQUEST_TIMEOUT' },
};
const malformed: ProblemAnswer = { status: 400, code: 'REQUEST_MALFORMED', title: 'Malformed request' };

/** Answers in our shape what Node's parser refuses before there is a request, and closes the connection. */
export function answerClientErrors(server: Server): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const connection = socket as Socket;
    if (!connection.writable || error.code === 'ECONNRESET') {
      connection.destroy();
      return;
    }
    const answer = answers[error.code ?? ''] ?? malformed;
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
  });
}
