import { maxTtlMs, policies } from '../cache';
import {
  contradiction,
  contradictionWithin,
  isEmptyChange,
  mergeSettings,
  policyOverridesOf,
  settingsDefaults,
  type SettingsChange,
} from './settings.document';

const known = Object.values(policies);
const merged = (...changes: SettingsChange[]) => changes.reduce(mergeSettings, settingsDefaults);

describe('the document of the settings', () => {
  it('keeps what a change leaves out, and the base stays as it was', () => {
    const base = merged({ features: { agent_removal: false } });
    const next = mergeSettings(base, { health: { uptime_percent: 50 } });
    expect(next).toEqual({ ...base, health: { ...base.health, uptime_percent: 50 } });
    expect(base.health.uptime_percent).toBe(99);
  });

  it('has the defaults where a stored row says nothing', () => {
    expect(merged({ performance: { agents_page_size: 7 } }).logging).toEqual({ level: null });
  });

  it('lays overrides of policies over each other, and null takes one away', () => {
    const one = merged(
      { cache: { policies: { api: { ttl_seconds: 60 }, db: { stale_seconds: 0 } } } },
      { cache: { policies: { api: { stale_seconds: 5 } } } },
    );
    expect(one.cache.policies).toEqual({
      api: { ttl_seconds: 60, stale_seconds: 5 },
      db: { stale_seconds: 0 },
    });
    const other = mergeSettings(one, {
      cache: { policies: { api: { ttl_seconds: null }, db: { stale_seconds: null } } },
    });
    expect(other.cache.policies).toEqual({ api: { stale_seconds: 5 } });
  });

  it('gives the cache milliseconds', () => {
    const document = merged({ cache: { policies: { api: { ttl_seconds: 60, stale_seconds: 0 } } } });
    expect(policyOverridesOf(document)).toEqual({ api: { ttlMs: 60_000, staleMs: 0 } });
  });

  it.each([{}, { features: {} }, { cache: { policies: {} } }, { cache: { policies: { api: {} } } }])(
    'is not changed by %j',
    change => {
      expect(isEmptyChange(change)).toBe(true);
    },
  );

  it.each([{ logging: { level: null } }, { cache: { policies: { api: { ttl_seconds: null } } } }])(
    'is changed by %j',
    change => {
      expect(isEmptyChange(change)).toBe(false);
    },
  );

  const days30 = maxTtlMs / 1_000;
  it.each<[object, string | undefined]>([
    [{ performance: { agents_page_size: 201 } }, 'performance.agents_page_size'],
    [
      { cache: { policies: { api: { ttl_seconds: days30, stale_seconds: 1 } } } },
      'cache.policies.api.stale_seconds',
    ],
    [{ cache: { policies: { api: { stale_seconds: days30 } } } }, 'cache.policies.api.stale_seconds'],
    [{ cache: { policies: { api: { stale_seconds: days30 - 300 } } } }, undefined],
    [{ cache: { policies: { static: { ttl_seconds: days30 } } } }, undefined],
  ])('contradicts itself with %j: %s', (change, path) => {
    expect(contradiction(merged(change), known)?.path).toBe(path);
  });

  it.each<[SettingsChange, string | undefined]>([
    [{ performance: { agents_page_size: 900, agents_max_page_size: 100 } }, 'performance.agents_page_size'],
    [{ performance: { agents_page_size: 900 } }, undefined],
    [{ performance: { agents_max_page_size: 1 } }, undefined],
    [
      { cache: { policies: { api: { ttl_seconds: days30, stale_seconds: 1 } } } },
      'cache.policies.api.stale_seconds',
    ],
    [
      { cache: { policies: { api: { ttl_seconds: null, stale_seconds: days30 - 1 } } } },
      'cache.policies.api.stale_seconds',
    ],
    [{ cache: { policies: { api: { stale_seconds: days30 } } } }, 'cache.policies.api.stale_seconds'],
    [{ cache: { policies: { api: { stale_seconds: days30 - 1 } } } }, undefined],
    [{ cache: { policies: { api: { ttl_seconds: days30 } } } }, undefined],
  ])('is contradicted by %j alone, whatever is set: %s', (change, path) => {
    expect(contradictionWithin(change, known)?.path).toBe(path);
  });
});
