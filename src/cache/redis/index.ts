export { RedisTier, redisTierDefaults, type RedisClients, type RedisTierOptions } from './redis-tier';
export { breakerDefaults } from './breaker';
export { RedisKeys } from './redis-keys';
