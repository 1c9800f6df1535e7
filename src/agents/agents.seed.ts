import { plainToInstance } from 'class-transformer';
import { validateSync, type ValidationError } from 'class-validator';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { configFolder } from '../config/load-config';
import type { NewAgent } from './agents.repository';
import { CreateAgentDto } from './dto/create-agent.dto';

/**
 * The agents of `config/agents.yaml`, held to the rules of POST /agents; none when there is no file.
 * @throws Error naming the agent and the field
 */
export function readAgentSeed(file = join(configFolder, 'agents.yaml')): NewAgent[] {
  if (!existsSync(file)) return [];
  const list: unknown = parse(readFileSync(file, 'utf8')) ?? [];
  if (!Array.isArray(list)) throw new Error('config/agents.yaml must be a list of agents');
  return list.map((item: unknown, index) => {
    const agent = plainToInstance(CreateAgentDto, item);
    const problems = validateSync(agent, { whitelist: true, forbidNonWhitelisted: true }).flatMap(messagesOf);
    if (agent.id === undefined) problems.push('id is missing');
    if (problems.length > 0)
      throw new Error(`config/agents.yaml, agent ${index + 1}: ${problems.join('; ')}`);
    const { id = '', name, type, status, capabilities, url, description } = agent;
    return { id, name, type, status, capabilities, url, description };
  });
}

function messagesOf(error: ValidationError): string[] {
  return Object.values(error.constraints ?? {}).map(message => `${error.property} ${message}`);
}
