import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** One JSON object a line (github.com/ndjson/ndjson-spec); not registered with IANA, and what Ollama calls it. */
export const ndjsonType = 'application/x-ndjson; charset=utf-8';

/**
 * Answers with objects as they come, one JSON line each, no faster than the client takes them. A client that leaves ends the
 * iteration and is no error.
 */
export async function sendNdjson(response: ServerResponse, objects: AsyncIterable<object>): Promise<void> {
  response.writeHead(200, {
    'Content-Type': ndjsonType,
    'X-Content-Type-Options': 'nosniff',
    // Proxies such as nginx keep back what they think is a short answer.
    'X-Accel-Buffering': 'no',
  });
  response.flushHeaders();
  try {
    await pipeline(Readable.from(textOf(objects)), response);
  } catch (error) {
    if (!response.destroyed) throw error;
  }
}

async function* textOf(objects: AsyncIterable<object>): AsyncGenerator<string, void, undefined> {
  for await (const object of objects) yield `${JSON.stringify(object)}\n`;
}
