import { CheckHistory, type Check } from './check-history';

const check = (status: Check['status'], atMs: number): Check => ({
  status,
  atMs,
  responseTimeMs: 1,
  error: null,
});

describe('the history of a service', () => {
  it('knows nothing before the first check', () => {
    expect(new CheckHistory().summary()).toEqual({
      lastSuccessMs: null,
      lastFailureMs: null,
      consecutiveFailures: 0,
      uptimePercent: null,
    });
  });

  it('counts failures in a row and keeps the last of each kind', () => {
    const history = new CheckHistory();
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

  it('is about the recorded checks alone', () => {
    const history = new CheckHistory(3);
    for (const [index, status] of (['down', 'up', 'up', 'up'] as const).entries())
      history.add(check(status, index));
    expect(history.summary()).toEqual({
      lastSuccessMs: 3,
      lastFailureMs: 0,
      consecutiveFailures: 0,
      uptimePercent: 100,
    });
  });

  it('says nothing about a service that is not there', () => {
    const history = new CheckHistory();
    history.add(check('disabled', 1));
    expect(history.summary().uptimePercent).toBeNull();
  });
});
