import { RedisServer } from '../integration/redis-server';
import { warmingInstance } from './warming-instance';

/** The program of an instance that warms, to be killed. From one unit on its loads of the schedule never end. */
const { redisPort, holdFrom } = JSON.parse(process.argv[2]!) as { redisPort: number; holdFrom: number };
const redis = RedisServer.at(redisPort);
let ticked = false;

async function load(unit: number): Promise<string> {
  if (!ticked) return `v${unit}`;
  await redis.admin().rpush('loads', `child ${unit}`);
  return unit < holdFrom ? `v${unit}` : new Promise(() => undefined);
}

process.on('disconnect', () => process.exit(1));
void warmingInstance(redis, load).then(instance => {
  process.on('message', () => {
    ticked = true;
    instance.tick();
  });
  process.send!('ready');
});
