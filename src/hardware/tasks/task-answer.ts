import { applyDecorators } from '@nestjs/common';
import { ApiParam, ApiResponse } from '@nestjs/swagger';
import type { Response } from 'express';
import { isActive, type Task } from './task';

/** The id in the path of one task. */
export const ApiTaskId = (): MethodDecorator =>
  ApiParam({
    name: 'id',
    description: 'Id of the task',
    format: 'uuid',
    example: '0b9f6f53-6f5d-4c62-9a4e-0c4f5a1d7f10',
  });

/** What can go wrong with a task that is looked for. */
export const ApiTaskErrors = (): MethodDecorator =>
  applyDecorators(
    ApiResponse({ status: 404, description: 'TASK_NOT_FOUND: none of this id and kind is kept' }),
    ApiResponse({ status: 503, description: 'DATABASE_UNAVAILABLE' }),
  );

export const locationHeader = {
  Location: { description: 'Path of the task', schema: { type: 'string' } },
} as const;

/** Says where a task is that was begun. */
export function locate(response: Response, { kind, id }: Task): void {
  response.setHeader('Location', `/api/v1/hardware/${kind}/${id}`);
}

/** A task that goes on changes all the time: nobody may keep what it is now. */
export function keepOnlyEnds(response: Response, task: Task): void {
  if (isActive(task)) response.setHeader('Cache-Control', 'no-store');
}

/** 200 says that a task has ended, 202 that it was told to. */
export function sayWhetherEnded(response: Response, task: Task): void {
  response.status(isActive(task) ? 202 : 200);
}
