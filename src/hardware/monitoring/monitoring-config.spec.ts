import {
  contradictionWithin,
  mergeMonitoring,
  monitoringContradiction,
  monitoringDefaults,
  type MonitoringChange,
} from './monitoring-config';

describe('the configuration of the monitoring', () => {
  it('keeps what a change leaves out, replaces thresholds as a whole and takes null as not watched', () => {
    const merged = mergeMonitoring(monitoringDefaults, {
      intervalSeconds: 5,
      thresholds: { cpu: { raise: 50, clear: 40, samples: 1 }, swap: null, disk: undefined },
    });
    expect(merged).toEqual({
      intervalSeconds: 5,
      retentionDays: monitoringDefaults.retentionDays,
      thresholds: { ...monitoringDefaults.thresholds, cpu: { raise: 50, clear: 40, samples: 1 }, swap: null },
    });
    expect(monitoringDefaults.thresholds.swap).not.toBeNull();
  });

  it('contradicts itself when a threshold clears at or above where it raises', () => {
    const at = (clear: number) =>
      monitoringContradiction(
        mergeMonitoring(monitoringDefaults, { thresholds: { memory: { raise: 90, clear, samples: 1 } } }),
      );
    expect(at(89.9)).toBeUndefined();
    expect(at(90)).toEqual({
      path: 'thresholds.memory.clear',
      message: 'must be below thresholds.memory.raise (90)',
    });
  });

  it('contradicts itself when a host would keep more than a million rows', () => {
    const of = (intervalSeconds: number, retentionDays: number) =>
      monitoringContradiction(mergeMonitoring(monitoringDefaults, { intervalSeconds, retentionDays }))?.path;
    expect(of(1, 11)).toBeUndefined();
    expect(of(1, 12)).toBe('retention_days');
    expect(of(8, 90)).toBeUndefined();
  });

  it.each<[MonitoringChange, string | undefined]>([
    [{ thresholds: { disk: { raise: 80, clear: 80, samples: 1 } } }, 'thresholds.disk.clear'],
    [{ intervalSeconds: 1, retentionDays: 90 }, 'retention_days'],
    [{ retentionDays: 90 }, undefined],
    [{ intervalSeconds: 1 }, undefined],
  ])('is contradicted by %j alone, whatever is set: %s', (change, path) => {
    expect(contradictionWithin(change)?.path).toBe(path);
  });

  it('has defaults that do not contradict themselves', () => {
    expect(monitoringContradiction(monitoringDefaults)).toBeUndefined();
  });
});
