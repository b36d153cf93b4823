import { createInvalidatorClient } from '@query-tags/start-client'
import { controlServerFn } from './server-functions'

export const invalidatorClient = createInvalidatorClient({
  sseBasePath: '/api/invalidator',
  control: controlServerFn,
})
