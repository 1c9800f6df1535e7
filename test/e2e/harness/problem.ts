import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Answer } from './application';

export interface Problem {
  type: string;
  title: string;
  status: number;
  code: string;
  detail?: string;
  instance: string;
  request_id: string;
  errors?: { path: string; code: string; message: string }[];
}

const documented = readFileSync(join(__dirname, '../../../docs/errors.md'), 'utf8');
const internalText =
  /node_modules|at .*\.js|SyntaxError|Unexpected token|ECONNREFUSED|WRONGPASS|SELECT |insert into/i;

/** Checks everything that all errors share: status, code, shape, headers, and that no internal text is in it. */
export function expectProblem(answer: Answer, status: number, code: string): Problem {
  const body = answer.body as Problem;
  expect({ status: answer.status, code: body?.code }).toEqual({ status, code });
  expect(body).toMatchObject({
    type: `https://sutazai.invalid/problems/${code.toLowerCase().replaceAll('_', '-')}`,
    title: expect.any(String),
    status,
  });
  expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  expect(answer.headers.get('x-request-id')).toBe(body.request_id);
  expect(answer.text).not.toMatch(internalText);
  if (status === 401) expect(answer.headers.get('www-authenticate')).toBe('ApiKey realm="cache-admin"');
  if (status === 405) expect(answer.headers.get('allow')).toMatch(/^[A-Z, ]+$/);
  if (status === 415) expect(answer.headers.get('accept-post')).toBe('application/json');
  if (status === 429 || status === 503) expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
  expect(documented).toContain(`\`${code}\``);
  return body;
}

/** The same of an answer that came back as bytes of a connection. */
export function parseAnswer(raw: string): Answer {
  const end = raw.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = raw.slice(0, end).split('\r\n');
  const headers = new Headers(lines.map(line => line.split(/:\s*/, 2) as [string, string]));
  const text = raw.slice(end + 4);
  const isJson = /\bjson\b/.test(headers.get('content-type') ?? '') && text.startsWith('{');
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1]),
    headers,
    text,
    body: isJson ? JSON.parse(text) : undefined,
  };
}
