export { createHTTPInvalidatorClient, type HTTPInvalidatorClientOptions } from './create-http-invalidator-client.ts'
export { createHTTPTransport, type HeadersOption, type HTTPTransportOptions } from './http-transport.ts'
export { browserEnvironment } from './browser-environment.ts'
export type { ConnectionStatus, Environment, InvalidatorClient, PageEvent } from '@query-tags/core/client'
