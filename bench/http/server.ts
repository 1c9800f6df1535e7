import { contenders, startServer, type Contender } from './servers';

/** One contender as a process of its own: tells its URL to its parent, and ends with it. */
const contender = process.argv[2] as Contender;
if (!contenders.includes(contender)) throw new Error(`there is no contender ${String(contender)}`);
// Asked before and after each load: what the server itself has worked, in microseconds of its cores.
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuUs: user + system });
});
process.once('disconnect', () => process.exit(0));
void startServer(contender).then(({ url }) => process.send?.({ url }));
