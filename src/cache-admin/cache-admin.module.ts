import { Module } from '@nestjs/common';
import { CacheAdminController } from './cache-admin.controller';
import { CacheAdminService } from './cache-admin.service';
import { ClearJobs } from './clear-jobs';

@Module({ controllers: [CacheAdminController], providers: [CacheAdminService, ClearJobs] })
export class CacheAdminModule {}
