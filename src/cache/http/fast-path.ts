import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CacheAnswer, CachePolicy, TieredCache } from '../core';
import { cacheStatus } from './cache-status';
import { headBypass, type RequestHead } from './eligibility';
import type { EncodedBodies, Payload } from './encoded-bodies';
import { LastHeads } from './last-heads';
import { LearnedUrls } from './learned-urls';
import { headerFields, representationFor, type Representation } from './representation';
import { StoredResponse } from './stored-response';

/** What stands in front of a route and has its say in each of its answers, as the fast way does it. */
export interface FastEdge {
  /** Whether the request may go the fast way at all; what may not is refused, or taken further, by the normal way. */
  allows(request: IncomingMessage): boolean;
  /** Header fields that are the same in every answer, names and values in turn. */
  readonly constant: readonly string[];
  /** A `Vary` that is on every answer. */
  readonly vary: string | undefined;
  /** Header fields that differ from request to request. */
  readonly fields: readonly ((request: IncomingMessage) => readonly string[])[];
  /** Middleware that has to run as it is. */
  readonly run: readonly ((request: IncomingMessage, response: ServerResponse, next: () => void) => void)[];
}

/** A request target that the router has shown to lead to a cached route. */
export interface FastTarget {
  readonly policy: CachePolicy;
  /** The key, where it does not depend on headers. */
  readonly key: string | undefined;
  keyFor(headers: IncomingMessage['headers']): string;
  /** Names of the headers in the key. */
  readonly vary: readonly string[];
  cacheControl(stored: StoredResponse): string;
  /** Tells of a hit, where somebody keeps count of what is read. */
  seen(headers: IncomingMessage['headers']): void;
  /** What the router leaves on a request: the route's template, for those who count by it. */
  readonly route: object | undefined;
  readonly edge: FastEdge;
}

interface Learned {
  readonly target: FastTarget;
  readonly heads: LastHeads;
}

/**
 * The way out in front of the router: answers hits of public routes from the bytes in L1. It asks what the normal way asks
 * (`headBypass`, the core's own look into L1) and writes what that writes (`headerFields`), and whatever is not a plain
 * fresh hit it leaves alone: then nothing has been counted and nothing written.
 *
 * Which targets lead where is not worked out here a second time: the normal way tells it (`learn`) with each hit that had
 * no guard, and the exact text of the target is looked up. The same text always leads to the same route and key.
 */
export class FastPath {
  readonly #targets: LearnedUrls<Learned>;

  constructor(
    private readonly cache: TieredCache,
    private readonly bodies: EncodedBodies,
    maxUrls: number,
  ) {
    this.#targets = new LearnedUrls(maxUrls);
  }

  learn(url: string, target: FastTarget): void {
    this.#targets.learn(url, { target, heads: new LastHeads() });
  }

  knows(url: string): boolean {
    return this.#targets.get(url) !== undefined;
  }

  /** Answers the request, or returns false and has done nothing. */
  answer(request: IncomingMessage, response: ServerResponse): boolean {
    const learned = this.#targets.get(request.url!);
    if (learned === undefined) return false;
    const { target } = learned;
    const { edge } = target;
    if (headBypass(request as unknown as RequestHead, 'none') !== undefined) return false;
    if (hasClientCertificate(request) || !edge.allows(request)) return false;
    const key = target.key ?? target.keyFor(request.headers);
    const answer = this.cache.peekFresh<unknown>(key, target.policy);
    if (!(answer?.value instanceof StoredResponse)) return false;
    const stored = answer.value;
    const representation = representationFor(request, stored);
    const body = this.bodyFor(stored, representation);
    if (body === undefined) return false;
    this.cache.countPeeked(key, target.policy, answer);
    target.seen(request.headers);
    if (target.route !== undefined) (request as { route?: object }).route = target.route;
    if (edge.run.length === 0) send(learned, request, response, answer, stored, representation, body);
    else
      inTurn(edge.run, request, response, () =>
        send(learned, request, response, answer, stored, representation, body),
      );
    return true;
  }

  /** Undefined where it has to be encoded first. */
  private bodyFor(stored: StoredResponse, { coding, isNotModified }: Representation): Payload | undefined {
    if (isNotModified) return stored.body;
    return coding === undefined ? this.bodies.identity(stored) : this.bodies.ready(stored, coding);
  }
}

function send(
  { target, heads }: Learned,
  request: IncomingMessage,
  response: ServerResponse,
  answer: CacheAnswer<unknown>,
  stored: StoredResponse,
  representation: Representation,
  body: Payload,
): void {
  const { edge } = target;
  const set = edge.run.length === 0 ? undefined : response.getHeader('vary');
  const head = {
    stored,
    representation,
    age: Math.floor(answer.ageMs / 1_000),
    fresh: Math.floor(answer.freshMs / 1_000),
    vary: set === undefined ? edge.vary : String(set),
  };
  let fields = heads.fields(head, () => {
    const own = headerFields(
      stored,
      representation,
      {
        cacheStatus: cacheStatus(answer),
        cacheControl: target.cacheControl(stored),
        age: head.age,
        vary: target.vary,
      },
      head.vary,
      body,
    );
    if (edge.vary !== undefined && !own.includes('Vary')) own.push('Vary', edge.vary);
    return [...edge.constant, ...own];
  });
  if (edge.fields.length > 0) fields = [...fields, ...edge.fields.flatMap(of => of(request))];
  response.writeHead(representation.status, fields as string[]);
  if (request.method === 'HEAD' || representation.isNotModified || stored.status === 204) response.end();
  else response.end(body, 'latin1');
}

/** Whether the client has shown a certificate that the server accepted: it is a credential. */
export function hasClientCertificate(request: IncomingMessage): boolean {
  return (request.socket as { authorized?: boolean } | null)?.authorized === true;
}

function inTurn(
  handlers: FastEdge['run'],
  request: IncomingMessage,
  response: ServerResponse,
  last: () => void,
): void {
  let at = 0;
  const next = (): void => {
    const handler = handlers[at];
    at += 1;
    if (handler) handler(request, response, next);
    else last();
  };
  next();
}
