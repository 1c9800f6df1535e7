import { principalTag } from '../../../src/cache';
import type { RawAnswer } from './raw-http';
import { allControllers, DoorGuard, handlers, principal, signInEverybody, users } from './routes';
import { ServedApplication, until } from './served-application';

const alice = 'Authorization: Bearer alice-token';
const bob = 'Authorization: Bearer bob-token';
const carol = 'Authorization: Bearer carol-token';
const userOf = (answer: RawAnswer): unknown => (JSON.parse(answer.text) as { user: unknown }).user;

describe.each([['on', true] as const, ['off', false] as const])(
  'with the fast way %s',
  (_title, fastPath) => {
    let app: ServedApplication;

    beforeAll(async () => {
      app = await ServedApplication.start({ controllers: allControllers, fastPath, cache: { principal } });
    });
    afterAll(() => app.stop());
    beforeEach(async () => {
      handlers.reset();
      signInEverybody();
      DoorGuard.isOpen = true;
      await app.cache.clear();
    });

    describe('H01: a request with credentials', () => {
      it.each([
        ['Authorization: Bearer alice-token', 'authorization'],
        ['Proxy-Authorization: Basic YTpi', 'authorization'],
        ['X-API-Key: some-key', 'authorization'],
        ['Cookie: session=1', 'cookie'],
      ])('is neither served nor stored under a policy without a principal: %s', async (field, detail) => {
        for (let n = 0; n < 3; n += 1) await app.get('/personal/public');
        for (let n = 0; n < 3; n += 1) await app.get('/cats/1');
        for (const path of ['/personal/public', '/cats/1']) {
          const answer = await app.get(path, field);
          expect([answer.status, answer.field('cache-status'), answer.field('cache-control')]).toEqual([
            200,
            `sutazai; fwd=bypass; detail=${detail}`,
            'private, no-store',
          ]);
          expect([answer.field('age'), answer.field('etag')]).toEqual([undefined, undefined]);
          expect(JSON.parse(answer.text)).toMatchObject({ call: 2 });
          // What it got was not stored for others.
          expect(JSON.parse((await app.get(path)).text)).toMatchObject({ call: 1 });
        }
      });

      it('is served what is its own under a policy with one, and told that it is private', async () => {
        const miss = await app.get('/personal/me', alice);
        const hit = await app.get('/personal/me', alice);
        expect(hit.text).toBe(miss.text);
        expect(hit.field('cache-status')).toMatch(/^sutazai; hit; ttl=\d+; detail=l1$/);
        for (const answer of [miss, hit])
          expect(answer.field('cache-control')).toBe(
            'private, max-age=300, stale-while-revalidate=300, stale-if-error=300',
          );
        expect(handlers.count('me alice')).toBe(1);
      });

      it('that names nobody goes past the cache', async () => {
        const answer = await app.get('/personal/me', 'Cookie: session=1');
        expect([answer.field('cache-status'), answer.field('cache-control')]).toEqual([
          'sutazai; fwd=bypass; detail=principal',
          'private, no-store',
        ]);
      });
    });

    describe('H02: two users on one URL', () => {
      it('get each their own, on a miss and on a hit', async () => {
        for (let round = 0; round < 3; round += 1) {
          expect(userOf(await app.get('/personal/me', alice))).toBe('alice');
          expect(userOf(await app.get('/personal/me', bob))).toBe('bob');
        }
        expect([handlers.count('me alice'), handlers.count('me bob')]).toEqual([1, 1]);
      });

      it('get each their own when both miss at once: neither waits for the other', async () => {
        const release = handlers.hold();
        const answers = Promise.all([alice, bob, alice, bob].map(who => app.get('/personal/me', who)));
        await until(() => handlers.count('me alice') === 1 && handlers.count('me bob') === 1);
        release();
        expect((await answers).map(userOf)).toEqual(['alice', 'bob', 'alice', 'bob']);
        expect([handlers.count('me alice'), handlers.count('me bob')]).toEqual([1, 1]);
      });

      it('H31: cannot tell from an answer whether the other has it in the cache', async () => {
        await app.get('/personal/me', alice);
        const whoElse = await app.get('/personal/me', bob);
        expect(whoElse.field('cache-status')).toBe('sutazai; fwd=uri-miss; stored');
        expect(whoElse.field('age')).toBeUndefined();
        expect(handlers.count('me bob')).toBe(1);
      });

      it('of one tenant share an answer that is for the tenant, and others do not', async () => {
        const [first, second, third] = [
          await app.get('/personal/team', alice),
          await app.get('/personal/team', bob),
          await app.get('/personal/team', carol),
        ];
        expect(second.text).toBe(first.text);
        expect(JSON.parse(third.text)).toEqual({ tenant: 'other', call: 2 });
        expect(second.field('cache-control')).toMatch(/^private, /);
      });

      it('keep what a handler calls private, each for himself (RFC 9111 §5.2.2.7)', async () => {
        expect((await app.get('/personal/private', alice)).text).toBe('{"call":1}');
        expect((await app.get('/personal/private', bob)).text).toBe('{"call":2}');
        const hit = await app.get('/personal/private', alice);
        expect([hit.text, hit.field('cache-control')]).toEqual([
          '{"call":1}',
          'private, max-age=60, stale-while-revalidate=60, stale-if-error=60',
        ]);
      });
    });

    it.each([
      ['first', ['', alice, '', alice]],
      ['last', [alice, '', alice, '']],
    ])('H03: an anonymous request that comes %s gets an answer of its own', async (_when, order) => {
      for (const who of order) {
        const answer = await app.get('/personal/me', ...(who === '' ? [] : [who]));
        expect(userOf(answer)).toBe(who === '' ? null : 'alice');
        expect(answer.field('cache-control')).toMatch(/^private, /);
      }
      expect([handlers.count('me alice'), handlers.count('me nobody')]).toEqual([1, 1]);
    });

    describe('H04: a right that is taken away', () => {
      it('is gone with the next request: the guard stands in front of the store', async () => {
        await app.get('/personal/me', alice);
        await app.get('/personal/me', alice);
        users.delete('alice-token');
        const answer = await app.get('/personal/me', alice);
        expect([answer.status, answer.field('cache-status'), answer.field('age')]).toEqual([
          401,
          undefined,
          undefined,
        ]);
        expect(answer.text).not.toContain('alice');
      });

      it('takes all answers of a user with it by his tag, and those of his tenant by its tag', async () => {
        for (const who of [alice, bob, carol]) await app.get('/personal/me', who);
        await app.cache.invalidateTags([principalTag('user', 'alice')]);
        for (const who of [alice, bob, carol]) await app.get('/personal/me', who);
        const counts = (): number[] => ['alice', 'bob', 'carol'].map(name => handlers.count(`me ${name}`));
        expect(counts()).toEqual([2, 1, 1]);
        await app.cache.invalidateTags([principalTag('tenant', 'acme')]);
        for (const who of [alice, bob, carol]) await app.get('/personal/me', who);
        expect(counts()).toEqual([3, 2, 1]);
      });

      it.each(['/guarded/method', '/closed'])('is obeyed on %s, on every hit', async path => {
        for (let n = 1; n <= 4; n += 1) {
          const seen = await app.countExpress(async () => expect((await app.get(path)).status).toBe(200));
          expect([seen, handlers.count('guard')]).toEqual([1, n]);
        }
        DoorGuard.isOpen = false;
        expect((await app.get(path)).status).toBe(403);
        DoorGuard.isOpen = true;
        expect((await app.get(path)).field('cache-status')).toContain('hit');
      });
    });

    it('H34: a tenant that a header claims is nobody’s', async () => {
      await app.get('/personal/team', alice);
      const claimed = await app.get('/personal/team', carol, 'X-Tenant: acme', 'X-Tenant-Id: acme');
      expect(JSON.parse(claimed.text)).toMatchObject({ tenant: 'other' });
      const anonymous = await app.get('/personal/team', 'X-Tenant: acme');
      expect(JSON.parse(anonymous.text)).toMatchObject({ tenant: null });
    });

    it('a stale answer is refreshed in the name of its user, and stays with him when he may no longer', async () => {
      await app.get('/personal/fleeting', alice);
      await new Promise(resolve => setTimeout(resolve, 5));
      const stale = await app.get('/personal/fleeting', alice);
      expect(stale.field('cache-status')).toMatch(/^sutazai; hit; ttl=-\d+; detail=stale$/);
      await until(() => handlers.count('fleeting alice') === 2);
      expect(handlers.count('fleeting nobody')).toBe(0);
      expect(userOf(await app.get('/personal/fleeting', bob))).toBe('bob');
      users.delete('alice-token');
      expect((await app.get('/personal/fleeting', alice)).status).toBe(401);
    });
  },
);

it('a route for users stops the start where nobody says who asks', async () => {
  const started = ServedApplication.start({ controllers: allControllers, fastPath: true });
  await expect(started).rejects.toThrow(
    'PersonalController.me: answers for each user need the option principal of CacheModule',
  );
});
