import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';

const allowsAny = 'http:any-input';

/** Marks such routes in the OpenAPI document. */
export const anyInputExtension = 'x-any-input';

/**
 * The exception to the rule that what a route does not declare is refused: any query and any body may come with a request to this
 * route, or to those of this controller. For those that are asked by what cannot be told how to ask.
 */
export function AllowsAnyInput(): MethodDecorator & ClassDecorator {
  return applyDecorators(SetMetadata(allowsAny, true), ApiExtension(anyInputExtension, true));
}

/** Whether a handler, or its controller, is under `AllowsAnyInput`. */
export function allowsAnyInput(place: object): boolean {
  return Reflect.hasMetadata(allowsAny, place);
}
