import { Cluster } from './cluster';
import { judge } from './judge';
import { countUnhandledRejections } from './measures';
import { report } from './report';

countUnhandledRejections();
void (async () => {
  const seed = Number(process.env['HISTORY_SEED'] ?? Date.now() % 1e9);
  console.log('seed', seed);
  const cluster = await Cluster.start({ seed });
  try {
    for (const [index, part] of [{ lengthMs: 3000 }, { lengthMs: 10000, faultsOf: 1 }].entries()) {
      const history = await cluster.history(part);
      const violations = judge(history, cluster.instanceNames);
      console.log(index, report(history, violations));
      for (const v of violations.slice(0, 10)) console.log(v);
    }
    console.log(await cluster.measure());
    await cluster.close();
  } finally {
    await cluster.stop();
  }
})();
