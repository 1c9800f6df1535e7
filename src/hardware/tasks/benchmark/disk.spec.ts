import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeLeftOvers } from './disk';

describe('the folder of the disk benchmark', () => {
  it('loses old files that a killed process left behind, and none that another one has just made', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'disk-benchmark-'));
    const [old, young, other] = ['sutazai-benchmark-a.tmp', 'sutazai-benchmark-b.tmp', 'other.tmp'] as const;
    for (const name of [old, young, other]) writeFileSync(join(folder, name), '');
    for (const name of [old, other]) utimesSync(join(folder, name), new Date(0), new Date(0));
    await removeLeftOvers(folder);
    expect(readdirSync(folder).sort()).toEqual([other, young]);
    rmSync(folder, { recursive: true });
  });
});
