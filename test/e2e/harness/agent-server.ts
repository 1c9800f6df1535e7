import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What an agent does when its health is asked for. */
export type Behaviour = number | 'silent' | 'redirect';

/** A real HTTP server that stands for an agent: it answers `/health` as it is told, and counts who asks. */
export class AgentServer {
  behaviour: Behaviour = 200;
  /** Paths that were asked for. */
  readonly asked: string[] = [];
  /** Requests at once, now and at most. */
  open = 0;
  mostOpen = 0;

  private constructor(private readonly server: Server) {}

  static async start(): Promise<AgentServer> {
    const server = createServer();
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
    const agent = new AgentServer(server);
    server.on('request', (request, response) => {
      agent.asked.push(request.url ?? '');
      agent.open += 1;
      agent.mostOpen = Math.max(agent.mostOpen, agent.open);
      response.once('close', () => (agent.open -= 1));
      agent.answer(response);
    });
    return agent;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise(done => this.server.close(done));
  }

  private answer(response: ServerResponse): void {
    const { behaviour } = this;
    if (behaviour === 'silent') return;
    if (behaviour === 'redirect') response.writeHead(302, { Location: `${this.url}/elsewhere` }).end();
    else response.writeHead(behaviour).end('{}');
  }
}
