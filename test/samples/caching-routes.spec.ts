import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { BookStore, CatalogueModule } from './catalogue';

const root = join(__dirname, '..', '..');
const page = readFileSync(join(root, 'docs', 'caching-routes.md'), 'utf8');
const source = readFileSync(join(__dirname, 'catalogue.ts'), 'utf8');

describe('docs/caching-routes.md', () => {
  let app: INestApplication;
  let url: string;
  let store: BookStore;

  beforeAll(async () => {
    app = await NestFactory.create(CatalogueModule, { logger: false });
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
    store = app.get(BookStore);
  });
  afterAll(() => app.close());

  const ask = async (
    path: string,
    init: RequestInit = {},
  ): Promise<{ status: number; cache: string | null; body: unknown; headers: Headers }> => {
    const response = await fetch(url + path, init);
    const text = await response.text();
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    return {
      status: response.status,
      cache: response.headers.get('cache-status'),
      body,
      headers: response.headers,
    };
  };
  const as = (user: string): RequestInit => ({ headers: { Authorization: `Bearer token-of-${user}` } });

  it('shows the sample application word for word', () => {
    const regions = [...source.matchAll(/\/\/ #region ([\w-]+)\n([^]*?)\/\/ #endregion/g)];
    expect(regions.map(([, name]) => name)).toEqual([
      'first-route',
      'guard',
      'per-user-route',
      'write',
      'module',
    ]);
    const blocks = [...page.matchAll(/```ts\n([^]*?)```/g)].map(([, code]) => code);
    for (const [, name, code] of regions) expect([name, blocks.includes(code)]).toEqual([name, true]);
    expect(blocks).toHaveLength(regions.length);
  });

  it('says of the first route what it does', async () => {
    const before = store.reads;
    expect((await ask('/books?limit=1')).cache).toBe('sutazai; fwd=uri-miss; stored');
    const hit = await ask('/books?limit=1');
    expect(hit.cache).toMatch(/^sutazai; hit; ttl=\d+; detail=l1$/);
    expect(hit.body).toEqual([{ id: '1', title: 'Moby-Dick' }]);
    expect(store.reads).toBe(before + 1);
    expect((await ask('/books?limit=2')).cache).toBe('sutazai; fwd=uri-miss; stored');
    expect((await ask('/books?page=2')).cache).toBe('sutazai; fwd=bypass; detail=query');
    expect((await ask('/books?limit=1', as('ann'))).cache).toBe('sutazai; fwd=bypass; detail=authorization');
    const etag = hit.headers.get('etag')!;
    expect((await ask('/books?limit=1', { headers: { 'If-None-Match': etag } })).status).toBe(304);
  });

  it('says of the route for each user what it does', async () => {
    await ask('/wishes/1', { method: 'POST', ...as('ann') });
    for (let round = 0; round < 2; round += 1) {
      expect((await ask('/wishes', as('ann'))).body).toEqual({ user: 'ann', wishes: ['1'] });
      expect((await ask('/wishes', as('ben'))).body).toEqual({ user: 'ben', wishes: [] });
    }
    const hit = await ask('/wishes', as('ann'));
    expect([hit.cache, hit.headers.get('cache-control')]).toEqual([
      expect.stringMatching(/^sutazai; hit/),
      'private, max-age=30, stale-while-revalidate=30, stale-if-error=30',
    ]);
    await ask('/wishes/2', { method: 'POST', ...as('ann') });
    expect((await ask('/wishes', as('ann'))).body).toEqual({ user: 'ann', wishes: ['1', '2'] });
    expect((await ask('/wishes')).status).toBe(401);
  });

  it('says of the write what it does', async () => {
    await ask('/books/1');
    expect((await ask('/books/1')).cache).toMatch(/^sutazai; hit/);
    await ask('/books/1', { method: 'DELETE' });
    expect((await ask('/books/1')).status).toBe(404);
    const json = { 'Content-Type': 'application/json' };
    await ask('/books', { method: 'POST', headers: json, body: JSON.stringify({ id: '1', title: 'Emma' }) });
    expect((await ask('/books/1')).body).toEqual({ id: '1', title: 'Emma' });
  });
});
