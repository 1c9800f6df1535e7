import { mergeViews, parseClusterView, type ClusterView } from './cluster-map';

const a = 'aaaa 10.0.0.1:7001@17001';
const b = 'bbbb 10.0.0.2:7002@17002,host-b';
const view = (...lines: string[]): ClusterView => parseClusterView(lines.join('\n') + '\n', 'asked');

describe('the map of a Cluster', () => {
  const seenByA = view(
    `${a} myself,master - 0 0 1 connected 0-8191 [5->-bbbb]`,
    `${b} master - 0 1 2 connected 8192-16382 16383`,
    'cccc 10.0.0.3:7003@17003 slave aaaa 0 1 1 connected',
    'dddd :0@0 master,noaddr - 0 1 3 disconnected',
  );

  test('says who owns a slot, and between whom one is moving; replicas and lost nodes own none', () => {
    const map = mergeViews([seenByA]);
    expect([map.owners[0], map.owners[8_191], map.owners[8_192], map.owners[16_383]]).toEqual([
      '10.0.0.1:7001',
      '10.0.0.1:7001',
      '10.0.0.2:7002',
      '10.0.0.2:7002',
    ]);
    expect([...map.masters].sort()).toEqual(['10.0.0.1:7001', '10.0.0.2:7002']);
    expect([...map.moving]).toEqual([[5, ['10.0.0.1:7001', '10.0.0.2:7002']]]);
  });

  test('a node that does not know its address has the one that was asked', () => {
    expect(view('aaaa :7001@17001 myself,master - 0 0 0 connected 0-16383').self).toBe('asked:7001');
  });

  test('of two that claim a slot the one with the higher epoch has it, whoever is heard first', () => {
    const old = view(`${a} myself,master - 0 0 1 connected 0-16383`);
    const now = view(`${b} myself,master - 0 0 7 connected 0-16383`, `${a} master,fail - 0 1 1 disconnected`);
    for (const views of [
      [old, now],
      [now, old],
    ]) {
      expect(mergeViews(views).owners[1]).toBe('10.0.0.2:7002');
    }
  });

  test('what a node said of its last slot before it gave it away is over when the other one has it', () => {
    const leaving = view(
      `${a} myself,master - 0 0 3 connected 5 [5->-bbbb]`,
      `${b} master - 0 1 2 connected 0-4 6-16383`,
    );
    const before = view(
      `${b} myself,master - 0 0 2 connected 0-4 6-16383`,
      `${a} master - 0 1 3 connected 5`,
    );
    const after = view(`${b} myself,master - 0 0 4 connected 0-16383`, `${a} master - 0 1 3 connected`);
    expect([...mergeViews([leaving, before]).moving.keys()]).toEqual([5]);
    for (const views of [
      [leaving, after],
      [after, leaving],
    ])
      expect(mergeViews(views).moving.size).toBe(0);
  });

  test('a slot that nobody claims has no owner', () => {
    expect(mergeViews([view(`${a} myself,master - 0 0 1 connected 0-9`)]).owners[10]).toBeUndefined();
  });

  test('the digest differs when a slot moves or begins to, and only then', () => {
    const again = view(
      `${a} myself,master - 0 99 1 connected 0-8191 [5->-bbbb]`,
      `${b} master - 0 98 2 connected 8192-16383`,
    );
    const { digest } = mergeViews([seenByA]);
    expect(mergeViews([again]).digest).toBe(digest);
    const settled = view(
      `${a} myself,master - 0 99 1 connected 0-8191`,
      `${b} master - 0 98 2 connected 8192-16383`,
    );
    const moved = view(
      `${a} myself,master - 0 9 1 connected 0-4 6-8191`,
      `${b} master - 0 8 3 connected 5 8192-16383`,
    );
    expect(new Set([digest, mergeViews([settled]).digest, mergeViews([moved]).digest]).size).toBe(3);
  });
});
