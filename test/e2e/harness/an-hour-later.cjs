// `node --require` of this: each SIGUSR2 puts the clocks of the process an hour and a bit on. For what lives an hour.
const laterMs = 3_600_000 + 60_000;
const { now } = performance;
const today = Date.now;
let aheadMs = 0;
performance.now = () => now.call(performance) + aheadMs;
Date.now = () => today() + aheadMs;
process.on('SIGUSR2', () => {
  aheadMs += laterMs;
});
