// `node --require` of this: a SIGUSR2 ends the thread of the embedded database and lets no other one come up, the next one does.
const threads = require('node:worker_threads');
const running = new Set();
let isGone = false;
threads.Worker = class extends threads.Worker {
  constructor(program, options) {
    const isDatabase = /pglite/.test(options?.workerData?.library);
    super(isDatabase && isGone ? `throw new Error('no room')` : program, options);
    if (isDatabase) running.add(this).forEach(thread => thread.once('exit', () => running.delete(thread)));
  }
};
process.on('SIGUSR2', () => {
  isGone = !isGone;
  if (isGone) for (const thread of running) void thread.terminate();
});
