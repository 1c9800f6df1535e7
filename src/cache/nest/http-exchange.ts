import { StreamableFile } from '@nestjs/common';
import type { Response } from 'express';
import {
  declaredFreshMs,
  isNotModified,
  maxNegativeMs,
  notModifiedHeaders,
  parseCacheControl,
  renderBody,
  responseRefusal,
  StoredResponse,
  type ConditionalHeaders,
  type JsonSettings,
  type RefusalReason,
} from '../http';
import type { CachedRoute } from './cached-routes';

/** What a handler brought: a response to store, or a result that Nest sends to its own caller alone. */
export type Produced =
  | { readonly response: StoredResponse; readonly refusal: undefined }
  | { readonly result: unknown; readonly refusal: RefusalReason };

/** Turns a handler's result and what it did to the response into something to store, or says why it must not be. */
export function produce(
  route: CachedRoute,
  response: Response,
  result: unknown,
  varyBefore: readonly string[],
  maxBodyBytes: number,
  json: JsonSettings,
): Produced {
  if (response.headersSent || response.writableEnded) return { result, refusal: 'sent' };
  if (isStream(result)) return { result, refusal: 'stream' };
  const headers = response.getHeaders();
  const contentType = headers['content-type'];
  const rendered = renderBody(result, typeof contentType === 'string' ? contentType : undefined, json);
  const refusal = responseRefusal(
    { status: response.statusCode, headers, bodyBytes: rendered.body.length },
    { statuses: route.statuses, vary: new Set([...route.rules.headers, ...varyBefore]), maxBodyBytes },
  );
  if (refusal) return { result, refusal };
  const claimedMs = declaredFreshMs(parseCacheControl(textOf(headers['cache-control'])));
  const negative = response.statusCode === 404 || response.statusCode === 410;
  const freshMs = Math.min(claimedMs ?? Infinity, negative ? maxNegativeMs : Infinity);
  return {
    refusal: undefined,
    response: StoredResponse.of({
      status: response.statusCode,
      headers: { ...headers, 'content-type': rendered.contentType, vary: undefined },
      body: rendered.body,
      freshMs: freshMs < route.policy.ttlMs ? freshMs : undefined,
    }),
  };
}

/** The header fields that say how an answer came about. */
export interface AnswerHeaders {
  readonly cacheStatus: string;
  readonly cacheControl: string;
  /** Whole seconds in our cache; undefined for an answer that comes straight from the handler. */
  readonly age: number | undefined;
  /** What the key declares. */
  readonly vary: readonly string[];
}

/** Writes a stored response: the bytes, a 304 where the client has them already, or the head alone for HEAD. */
export function writeStored(
  request: { readonly method: string; readonly headers: ConditionalHeaders },
  response: Response,
  stored: StoredResponse,
  answer: AnswerHeaders,
): void {
  const notModified = stored.status === 200 && isNotModified(request.headers, stored);
  if (notModified) for (const name of ['content-type', 'content-length']) response.removeHeader(name);
  for (const [name, value] of stored.headers) {
    if (!notModified || notModifiedHeaders.has(name)) response.setHeader(name, value);
  }
  response.setHeader('ETag', stored.etag);
  response.setHeader('Cache-Control', answer.cacheControl);
  response.setHeader('Cache-Status', answer.cacheStatus);
  if (answer.age !== undefined) response.setHeader('Age', String(answer.age));
  if (answer.vary.length > 0) response.vary(answer.vary.join(', '));
  response.statusCode = notModified ? 304 : stored.status;
  if (notModified || stored.status === 204) {
    response.end();
    return;
  }
  response.setHeader('Content-Length', stored.body.length);
  if (request.method === 'HEAD') response.end();
  else response.end(stored.body);
}

/** Lower-case names in the `Vary` that is already there. */
export function varyOf(response: Response): readonly string[] {
  const vary = response.getHeader('vary');
  if (vary === undefined) return [];
  return [vary]
    .flat()
    .join(',')
    .toLowerCase()
    .split(',')
    .map(name => name.trim());
}

function isStream(result: unknown): boolean {
  if (typeof result !== 'object' || result === null) return false;
  return (
    result instanceof StreamableFile ||
    ('pipe' in result && typeof result.pipe === 'function') ||
    Symbol.asyncIterator in result
  );
}

function textOf(value: number | string | string[] | undefined): string | string[] | undefined {
  return typeof value === 'number' ? String(value) : value;
}
