import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { OllamaPulls } from './ollama-pulls';

/** How the server behaves: as Ollama does, or in one of the ways in which it fails. `OllamaPulls` has those of a pull. */
export type OllamaMood = 'well' | 'error' | 'hang' | 'garbage' | 'wrong-shape' | 'endless' | 'cut-off';

const details = { format: 'gguf', family: 'llama', parameter_size: '3.2B', quantization_level: 'Q4_K_M' };

/** A real HTTP server on a free port that speaks the part of Ollama's API that we read, faults included. */
export class OllamaServer {
  mood: OllamaMood = 'well';
  models = ['llama3.2:3b', 'hf.co/team/coder:Q4_K_M', 'tiny:latest'];
  /** Of those, what cannot be shown, as when a file of theirs is missing. */
  unshown: string[] = [];
  /** Requests that came, as `GET /api/tags`. */
  readonly asked: string[] = [];
  /** What it has others send it. */
  readonly pulls = new OllamaPulls(name => this.models.push(name));
  /** How long each answer takes, for benchmarks. Milliseconds. */
  delayMs: (request: string) => number = () => 0;
  authorization: string | undefined;

  private constructor(private readonly server: Server) {}

  static async start(port = 0): Promise<OllamaServer> {
    const server = createServer();
    const ollama = new OllamaServer(server);
    server.on('request', (request, response) => void ollama.answer(request, response));
    await ollama.listen(port);
    return ollama;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  private listen(port: number): Promise<void> {
    return new Promise(resolve => this.server.listen(port, '127.0.0.1', resolve));
  }

  /** Nobody listens any more: connections are refused. */
  async stop(): Promise<void> {
    if (!this.server.listening) return;
    const closed = new Promise(resolve => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    this.asked.push(`${request.method} ${request.url}`);
    this.authorization = request.headers.authorization;
    const delayMs = this.delayMs(`${request.method} ${request.url}`);
    if (delayMs > 0) await sleep(delayMs);
    switch (this.mood) {
      case 'hang':
        return;
      case 'error':
        return send(response, 500, { error: 'GGML_ASSERT failed at 10.0.0.3' });
      case 'garbage':
        return void response.end('<html>not JSON');
      case 'wrong-shape':
        return send(response, 200, { models: [{ name: 7 }], version: {} });
      case 'endless':
        return endless(response);
      case 'cut-off':
        response.writeHead(200, { 'Content-Length': '1000' }).write('{"models":[');
        return void setImmediate(() => response.destroy());
      case 'well':
        return this.answerWell(request, response, Buffer.concat(chunks).toString('utf8'));
    }
  }

  private answerWell(request: IncomingMessage, response: ServerResponse, body: string): void {
    if (request.url === '/api/version') return send(response, 200, { version: '0.12.0' });
    if (request.url === '/api/tags') {
      const models = this.models.map(name => ({
        name,
        model: name,
        modified_at: '2026-01-02T03:04:05.123456789Z',
        size: 2_019_393_189,
        digest: 'a80c',
        details,
      }));
      return send(response, 200, { models });
    }
    if (request.url !== '/api/show' && request.url !== '/api/pull')
      return send(response, 404, { error: 'not found' });
    const { model } = JSON.parse(body) as { model: string };
    if (request.url === '/api/pull') return void this.pulls.answer(model, response);
    if (!this.models.includes(model) || this.unshown.includes(model))
      return send(response, 404, { error: `model '${model}' not found` });
    send(response, 200, {
      license: 'x'.repeat(10_000),
      details,
      model_info: { 'llama.context_length': 131_072 },
      capabilities: ['completion', 'tools'],
    });
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8' }).end(JSON.stringify(body));
}

function endless(response: ServerResponse): void {
  const chunk = Buffer.alloc(65_536, ' ');
  const more = (): void => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', more);
  more();
}
