import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RedisConnections } from './redis-connections';
import { EmbeddedRedis } from './embedded-redis';

const configFile = resolve(__dirname, '../../config/redis.conf');
const redisOptions = {
  mode: 'embedded',
  url: undefined,
  commandTimeoutMs: 300,
  connectTimeoutMs: 1_000,
} as const;

async function eventually(check: () => Promise<void> | void, limitMs = 8_000): Promise<void> {
  for (const deadline = Date.now() + limitMs; ; await sleep(20)) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}

function serversOf(socketPath: string): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => spawnSync('cat', [`/proc/${pid}/cmdline`]).stdout.includes(socketPath));
}

describe('the private redis-server', () => {
  it('answers on its socket, keeps nothing on disk, and is gone with its folder after stop', async () => {
    const connections = await RedisConnections.open(redisOptions);
    const client = connections.data();
    await eventually(() => expect(client.status).toBe('ready'));
    await client.set('a', '1');
    expect(await client.config('GET', 'maxmemory-policy')).toContain('volatile-ttl');
    expect(await client.config('GET', 'save')).toContain('');
    expect(await client.config('GET', 'port')).toContain('0');
    const socketPath = connections.address();
    await connections.close();
    expect(existsSync(dirname(socketPath))).toBe(false);
    await eventually(() => expect(serversOf(socketPath)).toEqual([]));
  });

  it('comes back after it was killed, and the clients with it', async () => {
    const connections = await RedisConnections.open(redisOptions);
    const client = connections.data();
    await eventually(() => expect(client.status).toBe('ready'));
    const pid = Number(/process_id:(\d+)/.exec(await client.info('server'))?.[1]);
    process.kill(pid, 'SIGKILL');
    await eventually(async () => {
      const again = Number(/process_id:(\d+)/.exec(await client.info('server'))?.[1]);
      expect(again).not.toBe(pid);
    });
    await connections.close();
  });

  it('dies with a parent that was killed', async () => {
    const script = `require('@swc/core');const {EmbeddedRedis}=require(${JSON.stringify(join(__dirname, 'embedded-redis.ts'))});
      EmbeddedRedis.start(${JSON.stringify(configFile)}).then(server=>{console.log(server.socketPath);setInterval(()=>{},1000)});`;
    const loader = `const {transformFileSync}=require('@swc/core');require.extensions['.ts']=(m,f)=>m._compile(transformFileSync(f,{swcrc:true,configFile:${JSON.stringify(resolve(__dirname, '../../.swcrc'))}}).code,f);`;
    const parent = spawn(process.execPath, ['-e', loader + script], {
      cwd: resolve(__dirname, '../..'),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const socketPath = await new Promise<string>(done =>
      parent.stdout.once('data', (text: Buffer) => done(text.toString().trim())),
    );
    expect(serversOf(socketPath).length).toBeGreaterThan(0);
    parent.kill('SIGKILL');
    await eventually(() => expect(serversOf(socketPath)).toEqual([]));
    await eventually(() => expect(existsSync(dirname(socketPath))).toBe(false));
  });

  it('is left out when the program is not on the PATH', async () => {
    const path = process.env['PATH'];
    process.env['PATH'] = '/nowhere';
    try {
      expect(await EmbeddedRedis.start(configFile)).toBeUndefined();
      expect((await RedisConnections.open(redisOptions)).mode).toBe('off');
    } finally {
      process.env['PATH'] = path;
    }
  });
});

describe('clients', () => {
  it('reject at once, and never with a password, when nobody listens', async () => {
    const connections = await RedisConnections.open({
      ...redisOptions,
      mode: 'url',
      url: 'redis://user:hunter2@127.0.0.1:1/0',
    });
    expect(connections.describe()).toBe('Redis at 127.0.0.1:1');
    const startedAt = performance.now();
    await expect(connections.data().get('a')).rejects.toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('hunter2') }),
    );
    expect(performance.now() - startedAt).toBeLessThan(500);
    await connections.close();
  });
});
