import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { loadConfig } from '../src/config/load-config';
import { settingsTable } from '../src/config/app-config';

const root = resolve(__dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

interface Service {
  build?: string;
  image: string;
  container_name?: string;
  command?: string[];
  ports?: string[];
  volumes?: string[];
  environment?: Record<string, string | number>;
  depends_on?: Record<string, { condition: string }>;
  healthcheck: { test: string[]; interval: string; timeout: string; retries: number };
}
const compose = parse(read('docker-compose.yml'), { merge: true }) as {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
};
const service = (name: string): Service => {
  const found = compose.services[name];
  if (!found) throw new Error(`no service ${name}`);
  return found;
};
const backends = ['backend-1', 'backend-2'];

describe('docker-compose.yml', () => {
  it('brings up two instances, Redis and PostgreSQL, each with a health check', () => {
    expect(Object.keys(compose.services).sort()).toEqual([...backends, 'postgres', 'redis']);
    for (const { healthcheck } of Object.values(compose.services)) {
      expect(healthcheck).toMatchObject({
        interval: expect.stringMatching(/^\d+s$/),
        timeout: expect.stringMatching(/^\d+s$/),
        retries: expect.any(Number),
      });
      expect(['CMD', 'CMD-SHELL']).toContain(healthcheck.test[0]);
    }
  });

  it('needs no value that the README does not set in the command that it shows', () => {
    const needed = [
      ...new Set([...read('docker-compose.yml').matchAll(/\$\{(\w+):\?/g)].map(([, name]) => name!)),
    ];
    expect(needed).toEqual(['POSTGRES_PASSWORD']);
    const shown = /export (.*)\ndocker compose up/.exec(read('README.md'))?.[1] ?? '';
    for (const name of needed) expect(shown).toContain(`${name}=`);
  });

  it('starts the instances when Redis and PostgreSQL are healthy, on different ports of the host', () => {
    const ports = backends.map(name => service(name).ports?.[0]);
    expect(ports).toEqual(['10010:10010', '10011:10010']);
    for (const name of backends) {
      expect(service(name).depends_on).toEqual({
        redis: { condition: 'service_healthy' },
        postgres: { condition: 'service_healthy' },
      });
      expect(service(name).build).toBe('.');
    }
  });

  it('gives the instances settings that exist and are valid', () => {
    const names = new Set(settingsTable().map(row => row.env));
    for (const name of backends) {
      const environment = service(name).environment ?? {};
      expect(Object.keys(environment).filter(key => !names.has(key))).toEqual([]);
      const filledIn = Object.fromEntries(
        Object.entries(environment).map(([key, value]) => [
          key,
          String(value)
            .replace(/\$\{(\w+):-([^}]*)\}/g, '$2')
            .replace(/\$\{[^}]*\}/g, 'secret'),
        ]),
      );
      expect(loadConfig(filledIn)).toMatchObject({
        environment: 'production',
        redis: { mode: 'url' },
        database: { mode: 'server' },
        server: { port: 10_010, host: '0.0.0.0' },
      });
    }
  });

  it('names the Redis container so that `docker exec sutazai-redis redis-cli info stats` works, and runs it from config/redis.conf', () => {
    const redis = service('redis');
    expect(redis.container_name).toBe('sutazai-redis');
    const [source, target] = redis.volumes?.[0]?.split(':') ?? [];
    expect(existsSync(join(root, source ?? ''))).toBe(true);
    expect(redis.command?.slice(0, 2)).toEqual(['redis-server', target]);
  });

  it('publishes no port of Redis or PostgreSQL and holds no password', () => {
    expect(service('redis').ports ?? service('postgres').ports).toBeUndefined();
    expect(read('docker-compose.yml')).not.toMatch(/PASSWORD: (?!\$\{)/);
  });

  it('declares the volumes that services use', () => {
    const named = Object.values(compose.services)
      .flatMap(({ volumes }) => volumes ?? [])
      .map(volume => volume.split(':')[0] ?? '')
      .filter(name => !name.startsWith('.'));
    expect(named.filter(name => !(name in compose.volumes))).toEqual([]);
  });
});

describe('config/redis.conf', () => {
  it('keeps nothing on disk and evicts by life', () => {
    const lines = read('config/redis.conf').split('\n');
    expect(lines).toEqual(
      expect.arrayContaining(['save ""', 'appendonly no', 'maxmemory-policy volatile-ttl']),
    );
  });
});

describe('Dockerfile', () => {
  const text = read('Dockerfile');

  it('builds in one stage and runs in another, not as root, with a health check', () => {
    expect(text.match(/^FROM /gm)).toHaveLength(2);
    expect(text).toMatch(/^USER node$/m);
    expect(text).toMatch(/^HEALTHCHECK /m);
    expect(text.lastIndexOf('USER node')).toBeLessThan(text.indexOf('CMD ["node", "dist/main.js"]'));
  });

  it('copies only what exists and what .dockerignore lets through', () => {
    const ignored = new Set(read('.dockerignore').split('\n').filter(Boolean));
    const copied = [...text.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(
      ([, sources]) => sources?.split(' ') ?? [],
    );
    expect(copied.length).toBeGreaterThan(3);
    for (const source of copied) {
      expect(existsSync(join(root, source))).toBe(true);
      expect(ignored.has(source.replace('./', ''))).toBe(false);
    }
  });

  it('uses a Node that package.json accepts and the port of the default', () => {
    const least = (JSON.parse(read('package.json')) as { engines: { node: string } }).engines.node;
    expect(Number(/node:(\d+)/.exec(text)?.[1])).toBeGreaterThanOrEqual(Number(/\d+/.exec(least)?.[0]));
    expect(text).toMatch(/^EXPOSE 10010$/m);
  });
});
