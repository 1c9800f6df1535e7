import type { ServerResponse } from 'node:http';
import { isOver, onceOver } from '../http/connection-end';

/** One JSON object a line (github.com/ndjson/ndjson-spec); not registered with IANA, and what Ollama calls it. */
export const ndjsonType = 'application/x-ndjson; charset=utf-8';

/**
 * Answers with objects as they come, one JSON line each, no faster than the client takes them. A client that leaves ends the
 * iteration and is no error. By hand and not by `stream.pipeline`, whose listeners, with those of the middleware, are more than
 * Node lets a response have without a warning.
 */
export async function sendNdjson(response: ServerResponse, objects: AsyncIterable<object>): Promise<void> {
  response.writeHead(200, {
    'Content-Type': ndjsonType,
    'X-Content-Type-Options': 'nosniff',
    // Proxies such as nginx keep back what they think is a short answer.
    'X-Accel-Buffering': 'no',
  });
  response.flushHeaders();
  for await (const object of objects) {
    if (isOver(response)) return;
    if (!response.write(`${JSON.stringify(object)}\n`)) await taken(response);
  }
  response.end();
}

/** Resolves when the client has taken what was written, or has left. */
function taken(response: ServerResponse): Promise<void> {
  return new Promise(resolve => {
    const go = (): void => {
      response.off('drain', go);
      forget();
      resolve();
    };
    response.on('drain', go);
    const forget = onceOver(response, () => {
      response.off('drain', go);
      resolve();
    });
  });
}
