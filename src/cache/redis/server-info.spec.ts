import { parseServerInfo, runIdOf } from './server-info';

const reply = [
  '# Server',
  'redis_version:7.0.15',
  'run_id:0123456789abcdef',
  'config_file:/etc/redis:6379.conf',
  '',
  '# Clients',
  'connected_clients:3',
  '# Memory',
  'used_memory:1048576',
  'used_memory_human:1.00M',
  '# Stats',
  'total_commands_processed:42',
  'evicted_keys:5',
  'keyspace_hits:7',
  'keyspace_misses:5',
  '',
].join('\r\n');

describe('what a server says of itself', () => {
  test('is read from the reply of INFO', () => {
    expect(parseServerInfo(reply)).toEqual({
      keyspaceHits: 7,
      keyspaceMisses: 5,
      usedMemoryBytes: 1_048_576,
      usedMemoryHuman: '1.00M',
      connectedClients: 3,
      totalCommandsProcessed: 42,
      evictedKeys: 5,
    });
  });

  test('what it does not say is 0, and what stands in no field is passed by', () => {
    expect(parseServerInfo('# nothing\nno colon here\n:no name\n')).toEqual({
      keyspaceHits: 0,
      keyspaceMisses: 0,
      usedMemoryBytes: 0,
      usedMemoryHuman: '',
      connectedClients: 0,
      totalCommandsProcessed: 0,
      evictedKeys: 0,
    });
  });

  test('its identity changes with every start; a server that keeps it to itself has none', () => {
    expect(runIdOf(reply)).toBe('0123456789abcdef');
    expect(runIdOf('# Server\r\n')).toBe('');
  });
});
