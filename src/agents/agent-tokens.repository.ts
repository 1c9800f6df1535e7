import { Injectable } from '@nestjs/common';
import { eq, sql } from 'drizzle-orm';
import { CacheSessionData } from '../cache';
import { Database } from '../database/database';
import { sqlState } from '../database/database-errors';
import { agentTokens } from '../database/schema';
import { agentsCache } from './cache';

const foreignKeyViolation = '23503';

/** The digests of the agents' tokens. */
@Injectable()
export class AgentTokensRepository {
  constructor(private readonly database: Database) {}

  /** The digest of an agent's token, null when it has none. */
  @CacheSessionData(agentsCache.token)
  async find(agentId: string): Promise<string | null> {
    const [row] = await this.database.orm
      .select({ sha256: agentTokens.sha256 })
      .from(agentTokens)
      .where(eq(agentTokens.agentId, agentId));
    return row?.sha256 ?? null;
  }

  /** Puts a digest in the place of the one before. False when there is no such agent. */
  async replace(agentId: string, sha256: string): Promise<boolean> {
    try {
      await this.database.orm
        .insert(agentTokens)
        .values({ agentId, sha256 })
        .onConflictDoUpdate({ target: agentTokens.agentId, set: { sha256, createdAt: sql`now()` } });
      return true;
    } catch (error) {
      if (sqlState(error) === foreignKeyViolation) return false;
      throw error;
    }
  }
}
