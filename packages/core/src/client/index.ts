export type {
  Attachment,
  AttachOptions,
  Binding,
  ConnectionStatus,
  InvalidatorClient,
  Invalidation,
  ReadPosition,
} from './client.ts'
export { createConnection, type ConnectionOptions } from './connection.ts'
export type { Environment, PageEvent } from './environment.ts'
export { readWatchAnswer, Refusal, type StreamEvents, type Transport } from './transport.ts'
