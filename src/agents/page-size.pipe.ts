import { Injectable, type PipeTransform } from '@nestjs/common';
import { ProblemException } from '../http/problem.exception';
import { SettingsService } from '../settings/settings.service';
import type { ListAgentsQueryDto } from './dto/list-agents-query.dto';

/**
 * Refuses a page above the setting that is in force on this instance, from memory: on the query of an open route, before the
 * cache is asked (`QueryGuard`). An instance that hears of a change a moment later, or that could not read the settings yet,
 * lets through what the service then refuses.
 */
@Injectable()
export class PageSizePipe implements PipeTransform<ListAgentsQueryDto, ListAgentsQueryDto> {
  constructor(private readonly settings: SettingsService) {}

  /** @throws ProblemException 400 */
  transform(query: ListAgentsQueryDto): ListAgentsQueryDto {
    const known = this.settings.known();
    if (known && query.limit !== undefined) refuseAbove(known.performance.agents_max_page_size, query.limit);
    return query;
  }
}

/** @throws ProblemException 400 when a page of agents is to hold more than the setting allows */
export function refuseAbove(max: number, size: number): void {
  if (size <= max) return;
  const message = `must be a whole number from 1 to ${max}`;
  throw new ProblemException(400, 'VALIDATION_FAILED', 'Invalid request', `limit: ${message}`, [
    { path: 'limit', code: 'MAX', message },
  ]);
}
