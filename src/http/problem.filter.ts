import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import type { Request, Response } from 'express';
import { allowedMethods } from './allowed-methods';
import { answerOf } from './error-mapping';
import { type ProblemAnswer, problemDocument, problemHeaders } from './problem';
import { ProblemException } from './problem.exception';
import { requestIdOf } from './request-id.middleware';
import { isRouterMiss } from './router-miss';

const maxCauses = 5;

/**
 * The only place that turns errors into answers: those of the router, the body reader, guards, validation, features, the
 * cache and the database alike become problem+json (RFC 9457). What is not meant for callers goes to the log, under the
 * same request id, and never into the answer.
 */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly log = new Logger('Http');

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<Request>();
    const response = http.getResponse<Response>();
    // Answered already: too late for the limit of time, or the socket timed out. Nobody waits for what the handler says now.
    if (response.writableEnded || response.destroyed) {
      this.log.debug(`an error after the answer to ${request.method}: ${rootOf(error)}`);
      return;
    }
    const answer = this.answer(error, request);
    if (answer.status >= 500) this.report(error, answer, request);
    if (response.headersSent) {
      response.destroy(); // half an answer must not look like a whole one
      return;
    }
    for (const name of ['ETag', 'Last-Modified', 'Age', 'Cache-Status', 'Content-Encoding', 'Content-Length'])
      response.removeHeader(name);
    const headers = problemHeaders(answer);
    const report = healthReport(error);
    if (report) headers['Content-Type'] = 'application/json; charset=utf-8';
    if (answer.status === 413) headers['Connection'] = 'close'; // the rest of the body is not read
    const body = JSON.stringify(report ?? problemDocument(answer, request.originalUrl, requestIdOf(request)));
    headers['Content-Length'] = String(Buffer.byteLength(body));
    response.status(answer.status).set(headers);
    response.end(request.method === 'HEAD' ? undefined : body);
  }

  private answer(error: unknown, request: Request): ProblemAnswer {
    if (!isRouterMiss(error, request)) return answerOf(error);
    const allowed = allowedMethods(request);
    if (allowed.length === 0)
      return { status: 404, code: 'NOT_FOUND', detail: 'There is nothing at this path.' };
    const allow = allowed.join(', ');
    return {
      status: 405,
      code: 'METHOD_NOT_ALLOWED',
      detail: `This path answers to ${allow}.`,
      headers: { Allow: allow },
    };
  }

  private report(error: unknown, answer: ProblemAnswer, request: Request): void {
    if (error instanceof ProblemException || healthReport(error)) return; // stated on purpose
    const what = `${answer.code} on ${request.method} ${request.originalUrl.split('?', 1)[0] ?? ''}`;
    if (answer.status === 503) this.log.warn(`${what}: ${rootOf(error)}`);
    else this.log.error({ err: error, request_id: requestIdOf(request) }, what);
  }
}

/** What is at the bottom of an error. Who wraps one writes what it was about around it: a statement with all of its values. */
function rootOf(error: unknown): string {
  let root = error;
  for (let depth = 0; depth < maxCauses && root instanceof Error && root.cause !== undefined; depth += 1)
    root = root.cause;
  const { message, code } = (root ?? {}) as { message?: unknown; code?: unknown };
  return String(message || code || root);
}

/** The report of a failed health check (Terminus throws it): it is the answer of that route, not a problem document. */
function healthReport(error: unknown): object | undefined {
  if (!(error instanceof HttpException) || error.getStatus() !== 503) return undefined;
  const body = error.getResponse();
  return typeof body === 'object' && 'status' in body && 'details' in body ? body : undefined;
}
