// The load, as a process of its own for the whole run: takes one piece of work a message, and answers with requests a second
// and what was wrong. Starting a process for each would be longer than the work.
import autocannon from 'autocannon';

process.on('message', ({ url, connections, ms, etag }) => {
  void autocannon({
    url,
    connections,
    duration: ms / 1_000,
    sampleInt: 100,
    headers: etag ? { 'if-none-match': etag } : {},
  }).then(result => {
    const answers = etag ? result['3xx'] : result['2xx'];
    const others = etag ? result['2xx'] : result['3xx'];
    process.send({
      answers,
      perSecond: answers / result.duration,
      wrong: result.errors + result.timeouts + result['4xx'] + result['5xx'] + others,
    });
  });
});
process.once('disconnect', () => process.exit(0));
