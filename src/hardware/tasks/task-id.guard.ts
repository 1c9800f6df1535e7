import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { taskIdPattern } from './task';
import { taskNotFound } from './tasks.service';

/** Refuses ids that no task can have. A guard, because guards run before the cache is asked and pipes do not. */
@Injectable()
export class TaskIdGuard implements CanActivate {
  /** @throws ProblemException 404 */
  canActivate(context: ExecutionContext): boolean {
    const { id } = context.switchToHttp().getRequest<Request<{ id: string }>>().params;
    if (!taskIdPattern.test(id)) throw taskNotFound();
    return true;
  }
}
