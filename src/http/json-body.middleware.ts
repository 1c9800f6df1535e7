import type { NextFunction, Request, Response } from 'express';
import { ProblemException } from './problem.exception';
import { readBody } from './read-body';

/** Limits of a request body; the bytes count after decompression. */
export const bodyLimits = Object.freeze({ maxBytes: 256 * 1_024, maxDepth: 32 });

const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype']);
const methodsWithBody = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/**
 * Reads a JSON body into `request.body`; undefined when there is none, whatever the content type says. Done here and not
 * by the framework's reader, which takes other charsets, drops a byte order mark, lets `__proto__` keys and forty thousand
 * levels through, and answers a text body with a 500. The body of a GET is ignored.
 */
export function jsonBody(request: Request, _response: Response, next: NextFunction): void {
  if (!methodsWithBody.has(request.method) || !hasBody(request)) {
    request.body = undefined;
    next();
    return;
  }
  if (!isJson(request.headers['content-type'])) {
    next(
      new ProblemException(
        415,
        'UNSUPPORTED_MEDIA_TYPE',
        'Unsupported media type',
        'The body must be application/json in UTF-8.',
        undefined,
        {
          'Accept-Post': 'application/json',
        },
      ),
    );
    return;
  }
  readBody(request, bodyLimits.maxBytes)
    .then(bytes => {
      request.body = bytes.length > 0 ? parse(bytes) : undefined;
    })
    .then(() => next(), next);
}

function hasBody(request: Request): boolean {
  return (
    request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0
  );
}

function isJson(contentType: string | undefined): boolean {
  const [type, ...parameters] = (contentType ?? '').toLowerCase().split(';');
  if (!/^application\/([a-z0-9.-]+\+)?json$/.test(type?.trim() ?? '')) return false;
  return parameters.every(parameter => {
    const [name, value] = parameter.trim().split('=', 2);
    return name !== 'charset' || /^"?utf-?8"?$/.test(value ?? '');
  });
}

function parse(bytes: Buffer): unknown {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    throw new ProblemException(400, 'BODY_INVALID_JSON', 'Invalid JSON', 'The body is not JSON in UTF-8.');
  }
  checkStructure(value);
  return value;
}

/** Walks without recursion: the depth of the input must not become the depth of our stack. */
function checkStructure(root: unknown): void {
  const open: { value: unknown; path: string; depth: number }[] = [{ value: root, path: '$', depth: 1 }];
  for (let item = open.pop(); item !== undefined; item = open.pop()) {
    const { value, path, depth } = item;
    if (typeof value !== 'object' || value === null) continue;
    if (depth > bodyLimits.maxDepth) {
      throw new ProblemException(
        400,
        'BODY_TOO_DEEP',
        'Body nested too deep',
        `The body may have ${bodyLimits.maxDepth} levels.`,
      );
    }
    for (const [key, child] of Object.entries(value)) {
      if (!Array.isArray(value) && forbiddenKeys.has(key)) {
        throw new ProblemException(
          400,
          'BODY_FORBIDDEN_KEY',
          'Forbidden key',
          `The key ${key} is not accepted in a body.`,
          [{ path: `${path}.${key}`, code: 'BODY_FORBIDDEN_KEY', message: `${key} is not accepted` }],
        );
      }
      if (typeof child === 'object' && child !== null)
        open.push({ value: child, path: path.length < 64 ? `${path}.${key}` : path, depth: depth + 1 });
    }
  }
}
