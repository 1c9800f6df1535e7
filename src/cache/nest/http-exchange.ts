import { StreamableFile } from '@nestjs/common';
import type { Response } from 'express';
import { maxTtlMs } from '../core';
import {
  declaredFreshMs,
  declaredStaleMs,
  headerFields,
  maxNegativeMs,
  parseCacheControl,
  renderBody,
  replayedDirectives,
  responseRefusal,
  storedHeaders,
  StoredResponse,
  type AnswerFields,
  type JsonSettings,
  type Payload,
  type RefusalReason,
  type Representation,
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
    {
      statuses: route.statuses,
      vary: new Set([...route.vary, ...varyBefore]),
      principal: route.principal,
      maxBodyBytes,
    },
  );
  if (refusal) return { result, refusal };
  const claimed = parseCacheControl(textOf(headers['cache-control']));
  const claimedMs = declaredFreshMs(claimed);
  const negative = response.statusCode === 404 || response.statusCode === 410;
  const freshMs = Math.min(claimedMs ?? Infinity, negative ? maxNegativeMs : Infinity);
  return {
    refusal: undefined,
    response: StoredResponse.of({
      status: response.statusCode,
      headers: { ...headers, 'content-type': rendered.contentType, vary: undefined },
      body: rendered.body,
      limits: {
        // Whatever the policy says now: it may be given a longer life while the entry is there.
        freshMs: freshMs < maxTtlMs ? freshMs : undefined,
        staleMs: declaredStaleMs(claimed),
        directives: replayedDirectives.filter(name => claimed.has(name)),
      },
    }),
  };
}

const ofContent = new Set(['content-length', ...storedHeaders.filter(name => name !== 'vary')]);

/** Writes a stored response: the bytes, a 304 where the client has them already, or the head alone for HEAD. */
export function writeStored(
  method: string,
  response: Response,
  stored: StoredResponse,
  representation: Representation,
  answer: AnswerFields,
  body: Payload,
): void {
  if (representation.isNotModified) {
    // `@Header()` and the handler may have set what belongs to the content.
    for (const name of response.getHeaderNames()) if (ofContent.has(name)) response.removeHeader(name);
  }
  const fields = headerFields(stored, representation, answer, response.getHeader('vary'), body);
  response.writeHead(representation.status, fields);
  if (method === 'HEAD' || representation.isNotModified || stored.status === 204) response.end();
  else response.end(body, 'latin1');
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
