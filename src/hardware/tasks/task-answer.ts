import { applyDecorators, type Type } from '@nestjs/common';
import { ApiAcceptedResponse, ApiBody, ApiOkResponse, ApiParam, ApiResponse } from '@nestjs/swagger';
import type { Response } from 'express';
import { isActive, type Task } from './task';

const locationHeader = {
  Location: { description: 'Path of the task', schema: { type: 'string' } },
} as const;

/** A task that is begun: what is asked for and what is answered. */
export const ApiTaskStart = (body: Type, answer: Type): MethodDecorator =>
  applyDecorators(
    ApiBody({ type: body, required: false }),
    ApiAcceptedResponse({
      type: answer,
      headers: locationHeader,
      description: 'It has begun; Location tells how it goes on',
    }),
    ApiResponse({ status: 400, description: 'BODY_INVALID, VALIDATION_FAILED, UNKNOWN_FIELD' }),
    ApiResponse({
      status: 409,
      description: 'TASK_RUNNING: this host runs one task at a time; Location is that of the other',
      headers: locationHeader,
    }),
  );

/** A task as it is. */
export const ApiTask = (answer: Type): MethodDecorator =>
  applyDecorators(
    ApiTaskId(),
    ApiOkResponse({
      type: answer,
      description: 'Cached when it has ended; before that `Cache-Control` is no-store',
    }),
    ApiTaskErrors(),
  );

/** A task that is cancelled. */
export const ApiTaskCancel = (answer: Type): MethodDecorator =>
  applyDecorators(
    ApiTaskId(),
    ApiOkResponse({ type: answer, description: 'It has ended' }),
    ApiAcceptedResponse({ type: answer, description: 'It was told to end and has not within 3 s' }),
    ApiTaskErrors(),
  );

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

/** What can go wrong with a task that is looked for. */
function ApiTaskErrors(): MethodDecorator {
  return applyDecorators(
    ApiResponse({ status: 404, description: 'TASK_NOT_FOUND: none of this id and kind is kept' }),
    ApiResponse({ status: 503, description: 'DATABASE_UNAVAILABLE' }),
  );
}

/** The id in the path of one task. */
function ApiTaskId(): MethodDecorator {
  return ApiParam({
    name: 'id',
    description: 'Id of the task',
    format: 'uuid',
    example: '0b9f6f53-6f5d-4c62-9a4e-0c4f5a1d7f10',
  });
}
