import { Module } from '@nestjs/common';
import { SettingsModule } from '../settings/settings.module';
import { AgentOrAdminGuard } from './agent-or-admin.guard';
import { AgentProber } from './agent-prober';
import { AgentTokensRepository } from './agent-tokens.repository';
import { AgentWatch } from './agent-watch';
import { AgentsController } from './agents.controller';
import { AgentsRepository } from './agents.repository';
import { AgentsService } from './agents.service';

@Module({
  imports: [SettingsModule],
  controllers: [AgentsController],
  providers: [
    AgentsService,
    AgentsRepository,
    AgentTokensRepository,
    AgentOrAdminGuard,
    AgentProber,
    AgentWatch,
  ],
  exports: [AgentsService],
})
export class AgentsModule {}
