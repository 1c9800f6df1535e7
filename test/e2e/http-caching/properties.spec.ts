import { Controller, Get, Param, Req, UseGuards, type Type } from '@nestjs/common';
import type { Request } from 'express';
import fc from 'fast-check';
import { CacheApiResponse } from '../../../src/cache';
import type { CacheDecoratorOptions } from '../../../src/cache';
import { AllowsAnyInput } from '../../../src/http/any-input.decorator';
import type { RawAnswer } from './raw-http';
import { principal, signInEverybody, TokenGuard, users } from './routes';
import { ServedApplication } from './served-application';
import { parseCacheStatus, parseList, parseResponseDirectives } from './structured-fields';

type PrincipalScope = NonNullable<CacheDecoratorOptions['principal']>;
type AskedRequest = Request & { user?: { id: string; tenant: string } };

interface RandomPolicy {
  query: string[];
  header: 'none' | 'any' | 'known';
  principal: PrincipalScope;
}

const languages = ['en', 'de', 'fr'];
const padding = 'abcdefgh'.repeat(200);

/** What a handler with this policy answers to a request alone: it reads exactly what the key covers. */
function answerTo(policy: RandomPolicy, request: RandomRequest, language: string | undefined): object {
  const user = users.get(request.token ?? '');
  return {
    id: request.id,
    query: Object.fromEntries(policy.query.map(name => [name, valueOf(request.query, name)])),
    language: policy.header === 'none' ? null : (language ?? null),
    user: policy.principal === 'user' ? (user?.id ?? null) : null,
    tenant: policy.principal === 'none' ? null : (user?.tenant ?? null),
    padding,
  };
}

function valueOf(query: RandomRequest['query'], name: string): string | string[] | null {
  const values = query.filter(([each]) => each === name).map(([, value]) => value);
  return values.length === 0 ? null : values.length === 1 ? values[0]! : values;
}

interface RandomRequest {
  id: string;
  query: (readonly [string, string])[];
  language: string | undefined;
  token: string | undefined;
  coding: string | undefined;
  method: 'GET' | 'HEAD';
  ifNoneMatch: boolean;
}

function controllerOf(policy: RandomPolicy, path: string): Type {
  const headers: CacheDecoratorOptions['headers'] =
    policy.header === 'none'
      ? []
      : [policy.header === 'any' ? 'accept-language' : { name: 'accept-language', oneOf: languages }];

  @Controller(path)
  @AllowsAnyInput()
  @UseGuards(...(policy.principal === 'none' ? [] : [TokenGuard]))
  class RandomController {
    @Get(':id')
    @CacheApiResponse({ key: path, query: policy.query, headers, principal: policy.principal, jitter: 0 })
    get(@Param('id') id: string, @Req() request: AskedRequest): object {
      const language = policy.header === 'none' ? undefined : request.headers['accept-language'];
      const user = policy.principal === 'none' ? undefined : request.user;
      return {
        id,
        query: Object.fromEntries(policy.query.map(name => [name, request.query[name] ?? null])),
        language: language ?? null,
        user: policy.principal === 'user' ? (user?.id ?? null) : null,
        tenant: policy.principal === 'none' ? null : (user?.tenant ?? null),
        padding,
      };
    }
  }
  return RandomController;
}

const names = ['a', 'b', 'c'];
const value = fc.oneof(
  fc.constantFrom('1', '2', ''),
  fc.string({ unit: fc.constantFrom('x', '|', '=', ',', '%', ';', 'ä', ' '), maxLength: 4 }),
);
const request: fc.Arbitrary<RandomRequest> = fc.record({
  id: fc.constantFrom('1', '2', 'a b', 'x|y', '1:1', '%41'),
  query: fc.array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 3 }),
  language: fc.option(fc.constantFrom('en', 'de', 'de-AT', 'fr;q=0.5, de', 'xx', 'en, *;q=0.1'), {
    nil: undefined,
  }),
  token: fc.option(fc.constantFrom('alice-token', 'bob-token', 'carol-token'), { nil: undefined }),
  coding: fc.option(fc.constantFrom('br', 'gzip', 'identity', 'gzip;q=0.5, br;q=0.1', '*'), {
    nil: undefined,
  }),
  method: fc.constantFrom('GET' as const, 'GET' as const, 'HEAD' as const),
  ifNoneMatch: fc.boolean(),
});

/** What a handler sees of Accept-Language under `known`, worked out by hand for the values above. */
const chosen: Readonly<Record<string, string>> = {
  en: 'en',
  de: 'de',
  'de-AT': 'de',
  'fr;q=0.5, de': 'de',
  xx: 'en',
  'en, *;q=0.1': 'en',
};

const policies: RandomPolicy[] = [];
for (const header of ['none', 'any', 'known'] as const)
  for (const scope of ['none', 'tenant', 'user'] as const)
    policies.push({ header, principal: scope, query: names.slice(0, policies.length % 4) });

function checkFields(answer: RawAnswer): ReturnType<typeof parseCacheStatus> {
  const status = parseCacheStatus(answer.field('cache-status')!);
  const control = parseResponseDirectives(answer.field('cache-control')!);
  expect(status.has('key')).toBe(false);
  if (status.has('hit') && answer.field('age') !== undefined)
    expect(Number(answer.field('age'))).toBeLessThanOrEqual(control.get('max-age') as number);
  return status;
}

describe.each([['on', true] as const, ['off', false] as const])(
  'with the fast way %s',
  (_title, fastPath) => {
    it('whatever is asked in whatever order, a hit is what the handler would answer to that request alone', async () => {
      signInEverybody();
      const app = await ServedApplication.start({
        controllers: policies.map((policy, at) => controllerOf(policy, `random-${at}`)),
        providers: [TokenGuard],
        fastPath,
        cache: { principal },
      });
      let hits = 0;
      const ask = async (at: number, asked: RandomRequest): Promise<void> => {
        const policy = policies[at]!;
        const search = asked.query.map(([name, text]) => `${name}=${encodeURIComponent(text)}`).join('&');
        const target = `/api/v1/random-${at}/${encodeURIComponent(asked.id)}${search === '' ? '' : `?${search}`}`;
        const fields = [
          ...(asked.language === undefined ? [] : [`Accept-Language: ${asked.language}`]),
          ...(asked.token === undefined ? [] : [`Authorization: Bearer ${asked.token}`]),
          ...(asked.coding === undefined ? [] : [`Accept-Encoding: ${asked.coding}`]),
        ];
        const answer = await app.send(`${asked.method} ${target}`, fields);
        expect(answer.status).toBe(200);
        const status = checkFields(answer);
        if (status.has('hit')) hits += 1;
        const language = policy.header === 'known' ? chosen[asked.language ?? 'en'] : asked.language;
        if (asked.method === 'GET') {
          expect(JSON.parse(answer.text)).toEqual(answerTo(policy, asked, language));
        } else expect(answer.body).toHaveLength(0);
        const etag = answer.field('etag');
        if (asked.ifNoneMatch && etag !== undefined) {
          const same = await app.send(`GET ${target}`, [...fields, `If-None-Match: ${etag}`]);
          expect([same.status, same.field('etag'), same.body.length]).toEqual([304, etag, 0]);
          checkFields(same);
        }
      };
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.nat({ max: policies.length - 1 }), request), { minLength: 1, maxLength: 12 }),
          async asked => {
            for (const [at, each] of asked) {
              await ask(at, each);
              await ask(at, each);
            }
          },
        ),
        { numRuns: 40 },
      );
      expect(hits).toBeGreaterThan(50);
      await app.stop();
    });
  },
);

describe('the parsers of these tests are strict', () => {
  it.each([
    'sutazai; hit; ttl=1,',
    'sutazai; hit; fwd=miss',
    'sutazai',
    'sutazai; fwd=other',
    'sutazai; hit; ttl=1.5',
    'sutazai; hit; stored',
    'sutazai; hit; key=bare',
    'sutazai; Hit',
    'sutazai hit',
    '1; hit',
  ])('%j is no Cache-Status', text => {
    expect(() => parseCacheStatus(text)).toThrow();
  });

  it.each([
    'public, private',
    'max-age',
    'max-age=-1',
    'max-age=1,',
    'max-age=1 public',
    'no-store, max-age=1',
    'publik',
  ])('%j is no Cache-Control of a response', text => {
    expect(() => parseResponseDirectives(text)).toThrow();
  });

  it('and read what is in the grammar', () => {
    expect(parseList('a; b=1; c, "d\\"";e=?0')).toHaveLength(2);
    expect([...parseCacheStatus('sutazai; hit; ttl=-5; detail=l1').keys()]).toEqual(['hit', 'ttl', 'detail']);
    expect(Object.fromEntries(parseResponseDirectives('private, no-store'))).toEqual({
      private: true,
      'no-store': true,
    });
  });
});
