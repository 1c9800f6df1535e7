import { CheckHistory, type Check } from './check-history';
import { uptimeWindowSeconds } from './uptime-window';

const check = (status: Check['status'], atMs = 0): Check => ({
  status,
  atMs,
  responseTimeMs: 1,
  error: null,
});
const minuteMs = 60_000;

describe('the history of a service', () => {
  let nowMs: number;
  const make = (): CheckHistory => new CheckHistory(() => nowMs);
  beforeEach(() => (nowMs = 1_000_000 * minuteMs));

  it('knows nothing before the first check', () => {
    expect(make().summary()).toEqual({
      lastSuccessMs: null,
      lastFailureMs: null,
      consecutiveFailures: 0,
      uptimePercent: null,
    });
  });

  it('counts failures in a row and keeps the last of each kind', () => {
    const history = make();
    for (const [index, status] of (['up', 'down', 'up', 'down', 'down'] as const).entries())
      history.add(check(status, index));
    expect(history.summary()).toEqual({
      lastSuccessMs: 2,
      lastFailureMs: 4,
      consecutiveFailures: 2,
      uptimePercent: 40,
    });
    history.add(check('up', 5));
    expect(history.summary()).toMatchObject({ consecutiveFailures: 0, uptimePercent: 50 });
  });

  it('counts time and not checks: a minute in which many have asked is one minute', () => {
    const history = make();
    for (let count = 0; count < 1_000; count += 1) history.add(check('up'));
    nowMs += minuteMs;
    history.add(check('down'));
    expect(history.summary().uptimePercent).toBe(50);
    nowMs += minuteMs;
    history.add(check('up'));
    expect(history.summary().uptimePercent).toBe(66.67);
  });

  it('is about the last hour alone, also when nothing was asked meanwhile', () => {
    const history = make();
    history.add(check('down', 7));
    nowMs += uptimeWindowSeconds * 1_000 - minuteMs;
    history.add(check('up', 8));
    expect(history.summary().uptimePercent).toBe(50);
    nowMs += minuteMs;
    expect(history.summary().uptimePercent).toBe(100);
    nowMs += uptimeWindowSeconds * 1_000;
    expect(history.summary()).toEqual({
      lastSuccessMs: 8,
      lastFailureMs: 7,
      consecutiveFailures: 0,
      uptimePercent: null,
    });
  });

  it('begins anew with a minute that has the place of one an hour ago', () => {
    const history = make();
    history.add(check('down'));
    nowMs += uptimeWindowSeconds * 1_000;
    history.add(check('up'));
    expect(history.summary().uptimePercent).toBe(100);
  });

  it('says nothing about a service that is not there', () => {
    const history = make();
    history.add(check('disabled', 1));
    expect(history.summary().uptimePercent).toBeNull();
  });
});
