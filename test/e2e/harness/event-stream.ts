import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';

export interface StreamEvent {
  id: string | undefined;
  event: string | undefined;
  data: unknown;
}

/** A client of Server-Sent Events that keeps what it gets as text. */
export class EventStream {
  #text = '';
  /** `complete` when the server ended the stream as it should, `cut` when the connection broke. */
  readonly ended: Promise<'complete' | 'cut'>;

  private constructor(
    private readonly response: IncomingMessage,
    readonly status: number,
  ) {
    response.setEncoding('utf8').on('data', (chunk: string) => (this.#text += chunk));
    response.on('error', (error: Error) => error); // a cut is told by `ended`
    this.ended = new Promise(resolve =>
      response.once('close', () => resolve(response.complete ? 'complete' : 'cut')),
    );
  }

  static open(url: string, method = 'GET'): Promise<EventStream> {
    return new Promise((resolve, reject) => {
      request(url, { method, agent: false })
        .once('response', response => resolve(new EventStream(response, response.statusCode ?? 0)))
        .once('error', reject)
        .end();
    });
  }

  get headers(): IncomingHttpHeaders {
    return this.response.headers;
  }

  get text(): string {
    return this.#text;
  }

  /** The events so far; comments and `retry` are none. */
  get events(): StreamEvent[] {
    return this.#text
      .split('\n\n')
      .slice(0, -1)
      .filter(block => /^data: /m.test(block))
      .map(block => ({
        id: /^id: (.*)$/m.exec(block)?.[1],
        event: /^event: (.*)$/m.exec(block)?.[1],
        data: JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? 'null') as unknown,
      }));
  }

  /** Leaves, as a browser that goes to another page. */
  leave(): void {
    this.response.destroy();
  }
}
