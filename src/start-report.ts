import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppConfig } from './config/app-config';
import { Database } from './database/database';
import { RedisConnections } from './redis/redis-connections';

/** One line for each part: what runs, where, in which mode, and what to set for the real thing. */
export function startReport(app: NestExpressApplication, url: string): string[] {
  const config = app.get(AppConfig);
  const { cache, warming, environment } = config;
  const mebibytes = Math.round(cache.l1MaxBytes / 1_048_576);
  return [
    `HTTP      ${url} (${environment}); documentation at ${url}/docs`,
    `Redis     ${app.get(RedisConnections).describe()}`,
    `Database  ${app.get(Database).describe()}`,
    `Models    ${config.ollama.url === undefined ? 'no provider: the list is empty; set OLLAMA_URL' : `Ollama at ${new URL(config.ollama.url).host}`}`,
    `Admin     ${adminAccess(config)}`,
    `Cache     namespace ${cache.namespace}, in memory up to ${cache.l1MaxEntries} entries or ${mebibytes} MiB, warming ${onOff(warming.enabled)}`,
  ];
}

function adminAccess({ admin, environment }: AppConfig): string {
  if (admin.apiKeys.length > 0)
    return `${admin.apiKeys.length} key${admin.apiKeys.length === 1 ? '' : 's'} configured`;
  return environment === 'production'
    ? 'off: no key is configured; set ADMIN_API_KEYS'
    : 'requests of this machine only, because no key is configured; set ADMIN_API_KEYS';
}

function onOff(value: boolean): string {
  return value ? 'on' : 'off';
}
