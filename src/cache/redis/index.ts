export { RedisTier, redisTierDefaults, type RedisTierOptions } from './redis-tier';
export type { ClusterClients, DataPurpose, NodeAddress, RedisClients } from './clients';
export { breakerDefaults } from './breaker';
export { RedisKeys } from './redis-keys';
