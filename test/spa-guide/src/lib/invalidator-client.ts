import { createHTTPInvalidatorClient } from '@query-tags/http-client'

export const invalidatorClient = createHTTPInvalidatorClient({
  basePath: '/api/invalidator',
})
