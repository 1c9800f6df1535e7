import { STATUS_CODES } from 'node:http';
import type { ProblemItem } from './problem.exception';

/** The body of every error, RFC 9457. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: string;
  detail?: string;
  instance?: string;
  request_id?: string;
  errors?: readonly ProblemItem[];
}

/** What an error means over HTTP, before it meets a request. */
export interface ProblemAnswer {
  status: number;
  code: string;
  title?: string | undefined;
  detail?: string | undefined;
  errors?: readonly ProblemItem[] | undefined;
  headers?: Readonly<Record<string, string>>;
}

/** Seconds after which a client may try again, where nothing better is known. */
export const defaultRetryAfterSeconds = 5;
const maxInstanceCharacters = 64;

const codes: Readonly<Record<number, string>> = {
  400: 'BAD_REQUEST',
  401: 'AUTH_REQUIRED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  406: 'NOT_ACCEPTABLE',
  408: 'REQUEST_TIMEOUT',
  409: 'CONFLICT',
  412: 'PRECONDITION_FAILED',
  413: 'BODY_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  417: 'EXPECTATION_FAILED',
  421: 'MISDIRECTED_REQUEST',
  422: 'UNPROCESSABLE_CONTENT',
  428: 'PRECONDITION_REQUIRED',
  429: 'RATE_LIMITED',
  431: 'HEADERS_TOO_LARGE',
  500: 'INTERNAL_ERROR',
  501: 'NOT_IMPLEMENTED',
  502: 'BAD_GATEWAY',
  503: 'SERVICE_UNAVAILABLE',
  504: 'GATEWAY_TIMEOUT',
};

/** The code of a status for which nobody gave one. */
export function codeOfStatus(status: number): string {
  return codes[status] ?? (status < 500 ? 'BAD_REQUEST' : 'INTERNAL_ERROR');
}

/** The document of an answer; `url` is cut to its path and to 64 characters. */
export function problemDocument(answer: ProblemAnswer, url?: string, requestId?: string): Problem {
  return {
    type: `https://sutazai.invalid/problems/${answer.code.toLowerCase().replaceAll('_', '-')}`,
    title: answer.title ?? STATUS_CODES[answer.status] ?? 'Error',
    status: answer.status,
    code: answer.code,
    ...(answer.detail !== undefined && { detail: answer.detail }),
    ...(url !== undefined && { instance: instanceOf(url) }),
    ...(requestId !== undefined && { request_id: requestId }),
    ...(answer.errors && answer.errors.length > 0 && { errors: answer.errors }),
  };
}

/** The headers of an answer: never stored, and with what its status asks for. */
export function problemHeaders(answer: ProblemAnswer): Record<string, string> {
  return {
    'Content-Type': 'application/problem+json; charset=utf-8',
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...((answer.status === 429 || answer.status === 503) && {
      'Retry-After': String(defaultRetryAfterSeconds),
    }),
    ...(answer.status === 401 && { 'WWW-Authenticate': 'ApiKey realm="cache-admin"' }),
    ...answer.headers,
  };
}

function instanceOf(url: string): string {
  const path = url.split(/[?#]/, 1)[0] ?? '';
  return path.length <= maxInstanceCharacters ? path : `${path.slice(0, maxInstanceCharacters - 1)}…`;
}
