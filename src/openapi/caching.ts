import type { OpenAPIObject } from '@nestjs/swagger';
import type { CachePolicy, CachedRoute } from '../cache';
import { operationsOf, type Headers } from './operations';

const headers: Headers = {
  Age: {
    description: 'Seconds that the answer has been in the cache',
    schema: { type: 'integer', minimum: 0 },
  },
  ETag: { description: 'Of these bytes, for If-None-Match', schema: { type: 'string' } },
  'Cache-Control': { description: 'How long clients may keep it', schema: { type: 'string' } },
  'Cache-Status': {
    description: 'Where it came from (RFC 9211)',
    schema: { type: 'string', example: 'sutazai; hit; ttl=27; detail=l1' },
  },
};

/** Says of each cached route which policy it is under, which headers it adds, and that it answers 304. */
export function describeCaching(document: OpenAPIObject, routes: readonly CachedRoute[]): void {
  const byOperation = new Map(routes.map(route => [route.where.replace('.', '_'), route]));
  for (const { operation } of operationsOf(document)) {
    const route = byOperation.get(operation.operationId ?? '');
    const ok = operation.responses['200'];
    if (!route || !ok || '$ref' in ok) continue;
    const life = lifeText(route.policy);
    operation.description = [operation.description, life].filter(Boolean).join('\n\n');
    ok.headers = { ...headers, ...ok.headers };
    operation.responses['304'] = {
      description: 'What If-None-Match or If-Modified-Since names is still right; the headers of the 200',
      headers,
    };
    (operation.parameters ??= []).push({
      name: 'If-None-Match',
      in: 'header',
      required: false,
      description: 'ETags of answers that the client has',
      schema: { type: 'string' },
      example: '"3"',
    });
  }
}

/** The life that the route has by default: the document is made once, and the settings may change policies after that. */
function lifeText({ name, ttlMs, staleMs, tier, ownTtl, ownStale }: CachePolicy): string {
  const life = `Cached: policy ${name}, ${ttlMs / 1_000} s fresh, ${staleMs / 1_000} s stale, tier ${tier}.`;
  if (ownTtl && ownStale) return life;
  return `${life} Settings may give the policy another life; what the route gives itself stays.`;
}
