import type { OpenAPIObject } from '@nestjs/swagger';
import { operationsOf, type Operation, type ResponseObject } from '../../../src/openapi/operations';
import { schemaErrors } from './api-schema';
import type { Answer } from './application';
import { parseAnswer } from './problem';

interface Route {
  method: string;
  /** Of paths, whatever they have in the place of parameters. */
  pattern: RegExp;
  parameters: number;
  operation: Operation;
}

/** That of the application that ships is the same in all of them: it is read, and each schema compiled, once in a file of tests. */
let known: ApiDocument | undefined;

export async function documentOf(url: string): Promise<ApiDocument> {
  return (known ??= await ApiDocument.of(url));
}

const maxShown = 10;

/** Where answers were not what the document says. They fail the test that asked, whatever it makes of the answer. */
const faults: Error[] = [];
afterEach(() => {
  const [first, ...others] = faults.splice(0);
  if (first && others.length > 0) first.message += `\n(and ${others.length} more such answers)`;
  if (first) throw first;
});

/** Fails the test that is running when an answer is not what the OpenAPI document says. */
export async function holdToDocument(
  url: string,
  method: string,
  target: string,
  answer: Answer,
): Promise<void> {
  const document = await documentOf(url);
  const found = document.faultsOf(method, target, answer);
  if (found.length === 0) return;
  const more = found.length > maxShown ? [`(and ${found.length - maxShown} more)`] : [];
  const what = `${method} ${target}: ${answer.status} is not what the OpenAPI document says`;
  faults.push(
    new Error([what, ...found.slice(0, maxShown), ...more, answer.text.slice(0, 1_000)].join('\n')),
  );
}

/** The same of what came back for bytes, where the one is a request and the other a whole answer to it, as plain text. */
export async function holdRawToDocument(url: string, request: string, raw: string): Promise<void> {
  const [, method, target] = /^([A-Z]+) (\/\S*) HTTP\/1\.1\r\n/.exec(request) ?? [];
  const length = /^content-length: (\d+)\r$/im.exec(raw)?.[1];
  const body = raw.slice(raw.indexOf('\r\n\r\n') + 4);
  if (!method || !target || Number(length) !== Buffer.byteLength(body)) return;
  if (!/^content-encoding:/im.test(raw)) await holdToDocument(url, method, target, parseAnswer(raw));
}

const pathsOfDocument = /^\/docs(?:\/|$|-|\.)/;

/** What the OpenAPI document of an application says of its answers. */
export class ApiDocument {
  private readonly routes: readonly Route[];

  private constructor(private readonly document: OpenAPIObject) {
    this.routes = operationsOf(document)
      .map(({ path, method, operation }) => ({ method: method.toUpperCase(), operation, ...patternOf(path) }))
      .sort((one, other) => one.parameters - other.parameters);
  }

  static async of(url: string): Promise<ApiDocument> {
    const response = await fetch(`${url}/docs/openapi.json`);
    return new ApiDocument((await response.json()) as OpenAPIObject);
  }

  /** Where an answer is not what the document says; empty when it is. What no operation stands for gets a problem. */
  faultsOf(method: string, target: string, answer: Answer): string[] {
    const path = target.replace(/[?#].*$/s, '');
    if (pathsOfDocument.test(path) || method === 'OPTIONS') return [];
    const asked = method === 'HEAD' ? 'GET' : method;
    const route = this.routes.find(each => each.method === asked && each.pattern.test(path));
    const response = this.resolved(
      route
        ? (route.operation.responses[answer.status] ?? route.operation.responses['default'])
        : { $ref: '#/components/responses/Problem' },
    );
    if (!response) return ['the status is not there'];
    return [
      ...this.contentFaults(response, answer, method === 'HEAD'),
      ...(route ? codeFaults(response, answer) : []),
    ];
  }

  private resolved(response: Operation['responses'][string]): ResponseObject | undefined {
    if (!response || !('$ref' in response)) return response;
    const name = response.$ref.slice('#/components/responses/'.length);
    return this.document.components?.responses?.[name] as ResponseObject | undefined;
  }

  private contentFaults({ content }: ResponseObject, answer: Answer, isHead: boolean): string[] {
    const type = answer.headers.get('content-type')?.replace(/;.*$/s, '');
    if (answer.status === 304 || (isHead && type === undefined)) return [];
    if (!content) return answer.text === '' ? [] : ['it has no body there'];
    const media = content[type ?? ''];
    if (!media) return [`the type ${type} is not there`];
    if (isHead || !media.schema) return [];
    return bodiesOf(type ?? '', answer).flatMap(body => schemaErrors(this.document, media.schema!, body));
  }
}

/** The codes of a status are named by its description. */
function codeFaults({ description }: ResponseObject, { headers, body }: Answer): string[] {
  if (!headers.get('content-type')?.startsWith('application/problem+json') || !body) return [];
  const { code } = body as { code: string };
  return new RegExp(`\\b${code}\\b`).test(description) ? [] : [`the code ${code} is not there`];
}

function bodiesOf(type: string, { body, text }: Answer): unknown[] {
  if (type === 'application/x-ndjson')
    return text
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line) as unknown);
  return [/\bjson\b/.test(type) ? body : text];
}

/** Their parameter is the rest of the path, slashes and all. */
const pathsToTheEnd = new Set(['/api/v1/models/{name}']);

/** As the router reads paths: in any case, with or without a slash at the end. */
function patternOf(path: string): Pick<Route, 'pattern' | 'parameters'> {
  const parts = path.split(/\{\w+\}/);
  const escaped = parts.map(part => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  const value = pathsToTheEnd.has(path) ? '.+' : '[^/]+';
  return { pattern: new RegExp(`^${escaped.join(value)}/?$`, 'i'), parameters: parts.length - 1 };
}
