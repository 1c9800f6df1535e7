import fc from 'fast-check';
import { healthScore, scoreRules, type Vitals } from './health-score';

const well: Vitals = { cpuPercent: 20, loadPerCore: 0.5, memoryPercent: 40, swapPercent: 0, diskPercent: 50 };
const nothing: Vitals = {
  cpuPercent: null,
  loadPerCore: null,
  memoryPercent: null,
  swapPercent: null,
  diskPercent: null,
};

describe('the health score', () => {
  it('is 100 without reasons when nothing passes a limit', () => {
    expect(healthScore(well)).toEqual({ score: 100, status: 'healthy', reasons: [], unknown: [] });
  });

  it('takes off what its reasons say, and they name value and limit', () => {
    expect(healthScore({ ...well, memoryPercent: 96.5, diskPercent: 86 })).toEqual({
      score: 45,
      status: 'critical',
      reasons: [
        {
          resource: 'memory',
          level: 'critical',
          value: 96.5,
          threshold: 95,
          penalty: 40,
          message: 'Memory use is 96.5 %, above 95 %.',
        },
        {
          resource: 'disk',
          level: 'warning',
          value: 86,
          threshold: 85,
          penalty: 15,
          message: 'Use of the fullest disk is 86 %, above 85 %.',
        },
      ],
      unknown: [],
    });
  });

  it.each(scoreRules)('warns of $resource above $warning, and not at it', ({ of, warning, critical }) => {
    expect(healthScore({ ...well, [of]: warning }).score).toBe(100);
    expect(healthScore({ ...well, [of]: warning + 0.1 })).toMatchObject({ score: 85, status: 'warning' });
    expect(healthScore({ ...well, [of]: critical + 0.1 })).toMatchObject({ score: 60, status: 'critical' });
  });

  it('says what is not known and takes nothing off for it; no swap is not a gap', () => {
    expect(healthScore({ ...well, diskPercent: null, swapPercent: null })).toEqual({
      score: 100,
      status: 'healthy',
      reasons: [],
      unknown: ['disk'],
    });
  });

  it('is unknown, not healthy, when nothing is known', () => {
    expect(healthScore(nothing)).toMatchObject({ score: 0, status: 'unknown' });
  });

  it('stays between 0 and 100, and falls by exactly its penalties', () => {
    const share = fc.option(fc.double({ min: 0, max: 100, noNaN: true }));
    fc.assert(
      fc.property(
        fc.record({
          cpuPercent: share,
          loadPerCore: share,
          memoryPercent: share,
          swapPercent: share,
          diskPercent: share,
        }),
        vitals => {
          const { score, status, reasons } = healthScore(vitals);
          const penalties = reasons.reduce((sum, reason) => sum + reason.penalty, 0);
          expect(score).toBe(status === 'unknown' ? 0 : Math.max(0, 100 - penalties));
          expect(status === 'healthy').toBe(reasons.length === 0 && status !== 'unknown');
        },
      ),
    );
  });
});
