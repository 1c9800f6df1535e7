import { heartbeatSigns, probeResults, statusOf } from './agent-status';

/** Rows: what the probe found. Columns: what heartbeats say. `keeps`: the status stays as it is. */
const table = `
              healthy    unhealthy  silent     never
  healthy     healthy    unhealthy  healthy    healthy
  unhealthy   unhealthy  unhealthy  unhealthy  unhealthy
  unreachable unhealthy  unhealthy  offline    offline
  none        healthy    unhealthy  offline    keeps
`;
const [signs = [], ...rows] = table
  .trim()
  .split('\n')
  .map(line => line.trim().split(/\s+/));

const cells = rows.flatMap(([probe, ...statuses]) =>
  statuses.map((status, at) => [probe, signs[at], status]),
) as [(typeof probeResults)[number], (typeof heartbeatSigns)[number], string][];

describe('the status of an agent', () => {
  it('is said for every pair of signs', () => {
    expect(cells.map(([probe, sign]) => `${probe} ${sign}`).sort()).toEqual(
      probeResults.flatMap(probe => heartbeatSigns.map(sign => `${probe} ${sign}`)).sort(),
    );
  });

  it.each(cells)('with the probe %s and the heartbeat %s: %s', (probe, sign, status) => {
    expect(statusOf(probe, sign) ?? 'keeps').toBe(status);
  });
});
