import { isReached, reachTable, type ReachedClaim } from './measure/report';
import { keepResult, keptResult } from './measure/results';

/** `node summary.js NAME…`: one table of what those questions came to, as `bench/results/summary.md` and `summary.json`. */
const claims = process.argv.slice(2).flatMap(name => {
  const { claims: all } = keptResult(name) as { claims: ReachedClaim[] };
  return all.map(claim => ({ question: name, ...claim, of: `${name}: ${claim.of}` }));
});
const reached = claims.filter(isReached).length;
const markdown = [`# Reach: ${reached} of ${claims.length}`, '', ...reachTable(claims), ''].join('\n');
keepResult('summary', { markdown, json: { reached, claims } });
process.stdout.write(markdown);
