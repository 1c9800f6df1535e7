import type { OpenAPIObject } from '@nestjs/swagger';
import { STATUS_CODES } from 'node:http';
import { anyInputExtension } from '../http/any-input.decorator';
import { problemDocument } from '../http/problem';
import { operationsOf, type Operation, type ResponseObject, type Schema } from './operations';

const problemSchema: Schema = {
  type: 'object',
  description: 'RFC 9457. `code` is stable; `title` and `detail` are for people.',
  required: ['type', 'title', 'status', 'code'],
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    code: { type: 'string', pattern: '^[A-Z][A-Z0-9_]*$' },
    detail: { type: 'string' },
    instance: { type: 'string', maxLength: 64, description: 'Path of the request' },
    request_id: { type: 'string', description: 'Finds the request in the log; also as X-Request-Id' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['path', 'code', 'message'],
        properties: {
          path: { type: 'string', description: 'Where in the body, the query or the headers' },
          code: { type: 'string' },
          message: { type: 'string' },
        },
      },
    },
  },
};

/** What a route may answer because a body may come with the request, on top of what it says itself. */
const errorsOfBodies: Readonly<Record<number, readonly string[]>> = {
  400: ['BODY_INVALID_JSON', 'BODY_INVALID', 'BODY_INCOMPLETE', 'BODY_TOO_DEEP', 'BODY_FORBIDDEN_KEY'],
  413: ['BODY_TOO_LARGE'],
  415: ['UNSUPPORTED_MEDIA_TYPE'],
};
/** Also where there is no query: what is not declared is refused. */
const errorsOfInput: Readonly<Record<number, readonly string[]>> = {
  400: ['UNKNOWN_FIELD', 'QUERY_DUPLICATE', 'QUERY_INVALID'],
};
const errorsOfParameters: Readonly<Record<number, readonly string[]>> = { 400: ['VALIDATION_FAILED'] };
const errorsOfAdmins: Readonly<Record<number, readonly string[]>> = {
  400: ['HEADER_DUPLICATE'],
  503: ['ADMIN_DISABLED', 'DATABASE_UNAVAILABLE'],
};
/** What any route may answer, with the status of each. */
const errorsOfAll: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'the request is malformed': {
    REQUEST_MALFORMED: 400,
    PATH_INVALID: 400,
    HEADERS_TOO_LARGE: 431,
    REQUEST_TIMEOUT: 408,
  },
  'it asks for another host': { MISDIRECTED_REQUEST: 421 },
  'it expects something else than 100-continue': { EXPECTATION_FAILED: 417 },
  'it cannot be answered now': { HANDLER_TIMEOUT: 503, INTERNAL_ERROR: 500 },
  // Cached routes, and those that ask cached methods: for the settings, for a key, for what they change.
  'the cache has no answer for it': {
    CACHE_LOAD_TIMEOUT: 503,
    CACHE_DEADLINE: 503,
    CACHE_OVERLOADED: 503,
    CACHE_CLOSED: 503,
  },
};

/** Gives every error of every operation its shape and an example, and each operation those that many of them share. */
export function describeErrors(document: OpenAPIObject): void {
  const { schemas = {}, responses = {} } = (document.components ??= {});
  document.components = { ...document.components, schemas, responses };
  schemas['Problem'] = problemSchema;
  const reasons = Object.entries(errorsOfAll).map(
    ([when, codes]) => `${when} (${Object.keys(codes).join(', ')})`,
  );
  responses['Problem'] = withProblem(500, { description: `Any route, when ${reasons.join(', ')}` }, '/');
  for (const { method, path, operation } of operationsOf(document)) {
    if (method !== 'get') addCodes(operation, errorsOfBodies);
    if (operation.security) addCodes(operation, errorsOfAdmins);
    if (hasQuery(operation)) addCodes(operation, errorsOfParameters);
    if (!(anyInputExtension in operation)) addCodes(operation, errorsOfInput);
    addCodes(operation, errorsBesideOwn(operation));
    for (const [status, response] of Object.entries(operation.responses)) {
      if (Number(status) >= 400 && response && !('$ref' in response) && !response.content)
        operation.responses[status] = withProblem(Number(status), response, path);
    }
    operation.responses['default'] ??= { $ref: '#/components/responses/Problem' };
  }
}

/** What any route may answer with a status that the operation has an answer of its own for: there the default says nothing. */
function errorsBesideOwn({ responses }: Operation): Record<string, string[]> {
  const all = Object.values(errorsOfAll).flatMap(codes => Object.entries(codes));
  const own = Object.keys(responses).filter(status => Number(status) >= 400);
  return Object.fromEntries(
    own.map(status => [status, all.filter(([, of]) => of === Number(status)).map(([code]) => code)]),
  );
}

function hasQuery({ parameters = [] }: Operation): boolean {
  return parameters.some(parameter => 'in' in parameter && parameter.in === 'query');
}

function addCodes(operation: Operation, errors: Readonly<Record<number, readonly string[]>>): void {
  for (const [status, codes] of Object.entries(errors)) {
    const said = operation.responses[status];
    if (said && '$ref' in said) continue;
    const description = said?.description ?? '';
    const more = codes.filter(code => !new RegExp(`\\b${code}\\b`).test(description));
    operation.responses[status] = {
      ...said,
      description: [description, ...more].filter(Boolean).join(', '),
    };
  }
}

function withProblem(status: number, response: ResponseObject, path: string): ResponseObject {
  const code = /\b[A-Z][A-Z0-9]+(?:_[A-Z0-9]+)*\b/.exec(response.description)?.[0] ?? 'INTERNAL_ERROR';
  const example = problemDocument(
    { status, code, title: STATUS_CODES[status] },
    path.replaceAll(/[{}]/g, ''),
    '4f1c2a9e-1f0b-4b7c-9a53-0a4f5f3f2f11',
  );
  return {
    ...response,
    content: {
      'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' }, example },
    },
    ...((status === 429 || status === 503) && {
      headers: {
        ...response.headers,
        'Retry-After': {
          description: 'Seconds to wait before the next try',
          schema: { type: 'integer', minimum: 0 },
        },
      },
    }),
  };
}
