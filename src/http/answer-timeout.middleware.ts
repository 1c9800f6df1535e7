import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ProblemAnswer, problemDocument, problemHeaders } from './problem';
import { requestIdOf } from './request-id.middleware';

const tooLate: ProblemAnswer = {
  status: 503,
  code: 'HANDLER_TIMEOUT',
  title: 'No answer in time',
  detail: 'There was no answer within the limit of this server.',
};

/**
 * Answers 503 when nothing has been answered `limitMs` after the head of a request; the connection is closed, because
 * nobody knows when the handler lets go of it. What has begun, such as a stream, goes on. The handler is not stopped: what it
 * writes later is dropped by the filter.
 */
export function answerWithin(limitMs: number) {
  return function answerInTime(
    request: IncomingMessage & { originalUrl?: string },
    response: ServerResponse,
    next: () => void,
  ): void {
    const timer = setTimeout(() => {
      if (response.headersSent || response.destroyed) return;
      for (const name of response.getHeaderNames())
        if (/^(etag|last-modified|age|cache-status|content-)/.test(name)) response.removeHeader(name);
      const body = problemDocument(tooLate, request.originalUrl ?? request.url, requestIdOf(request));
      response.writeHead(tooLate.status, { ...problemHeaders(tooLate), Connection: 'close' });
      response.end(request.method === 'HEAD' ? undefined : JSON.stringify(body));
    }, limitMs);
    response.once('close', () => clearTimeout(timer));
    next();
  };
}
