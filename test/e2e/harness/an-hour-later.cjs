// `node --require` of this: each SIGUSR2 puts the clocks of the process on by LATER_MS, an hour and a bit unless it is set. For
// what lives so long.
const laterMs = Number(process.env.LATER_MS ?? 3_600_000 + 60_000);
const { now } = performance;
const today = Date.now;
let aheadMs = 0;
performance.now = () => now.call(performance) + aheadMs;
Date.now = () => today() + aheadMs;
process.on('SIGUSR2', () => {
  aheadMs += laterMs;
});
