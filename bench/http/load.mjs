// The load, as a process of its own: `node load.mjs URL CONNECTIONS MS [ETAG]` prints requests a second and what was wrong.
import autocannon from 'autocannon';

const [url, connections, ms, etag] = process.argv.slice(2);
const result = await autocannon({
  url,
  connections: Number(connections),
  duration: Number(ms) / 1_000,
  sampleInt: 100,
  headers: etag ? { 'if-none-match': etag } : {},
});
const expected = etag ? result['3xx'] : result['2xx'];
const wrong =
  result.errors + result.timeouts + result['4xx'] + result['5xx'] + (etag ? result['2xx'] : result['3xx']);
console.log(
  JSON.stringify({
    answers: expected,
    perSecond: expected / result.duration,
    wrong,
    p50: result.latency.p50,
    p99: result.latency.p99,
  }),
);
