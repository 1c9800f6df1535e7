import { All, Controller, Module, Req } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request } from 'express';
import { AllowsAnyInput } from '../http/any-input.decorator';
import { routerMiss } from '../http/router-miss';
import { AdminOnly } from './admin-only.decorator';

/**
 * Whatever under the administrators' paths no route answers: 404 or 405 for administrators, and for everybody else the
 * answer that the routes there give, so that it tells nobody which of them exist.
 */
@ApiExcludeController()
@AdminOnly('any')
@AllowsAnyInput()
@Controller()
class UnknownAdminPathsController {
  @All(['cache', 'cache/*path', 'admin', 'admin/*path'])
  refuse(@Req() request: Request): never {
    throw routerMiss(request);
  }
}

/** To be the last of the modules: its routes take what all others have left. */
@Module({ controllers: [UnknownAdminPathsController] })
export class UnknownAdminPathsModule {}
