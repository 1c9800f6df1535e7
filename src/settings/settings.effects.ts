import { Logger } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import type { PolicyTable, TieredCache } from '../cache';
import type { LogLevel } from '../config/app-config';
import { policyOverridesOf, type SettingsDocument } from './settings.document';
import type { SettingsEffect } from './settings.follower';

/** The level of every line of this process, also of requests that have begun from then on. */
export function logLevelEffect(configured: LogLevel): SettingsEffect {
  return ({ logging }) => {
    const level = logging.level ?? configured;
    const { root } = PinoLogger;
    if (root.level === level) return;
    root.level = level;
    new Logger('Settings').log(`log level ${level}`);
  };
}

/** TTL and stale window of policies. Those of policies that this release does not know wait for one that does. */
export function policiesEffect(cache: TieredCache, table: PolicyTable): SettingsEffect {
  let last = '{}';
  return (document: SettingsDocument) => {
    const overrides = Object.fromEntries(
      Object.entries(policyOverridesOf(document)).filter(([name]) => table.get(name) !== undefined),
    );
    const text = JSON.stringify(overrides);
    if (text === last) return;
    cache.overridePolicies(overrides);
    last = text;
    new Logger('Settings').log(`policies overridden: ${text}`);
  };
}
