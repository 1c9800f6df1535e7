import { createServer } from 'node:http';
import { ExpressAdapter } from '@nestjs/platform-express';

/** Node looks for overdue requests every 30 s otherwise, and a limit of ten seconds would be one of forty. */
const checkEveryMs = 1_000;

/** Express on a server whose limits of time are kept to the second. The limits themselves are set by `limitServer`. */
export class LimitedExpressAdapter extends ExpressAdapter {
  override initHttpServer(): void {
    this.httpServer = createServer(
      { connectionsCheckingInterval: checkEveryMs, insecureHTTPParser: false },
      this.getInstance(),
    );
  }
}
