export { createHTTPInvalidatorClient, type HTTPInvalidatorClientOptions } from './create-http-invalidator-client.ts'
export type { HeadersOption } from './http-transport.ts'
export { browserEnvironment } from './browser-environment.ts'
export type { ConnectionStatus, Environment, InvalidatorClient, PageEvent } from '@query-tags/core/client'
