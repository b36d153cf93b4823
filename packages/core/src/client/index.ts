export type {
  Attachment,
  AttachOptions,
  Binding,
  ConnectionStatus,
  InvalidatorClient,
  Invalidation,
  ReadPosition,
} from './client.ts'
export { isReadAfter } from './client-cursor.ts'
export { createConnection, type ConnectionOptions } from './connection.ts'
export { runtime, type Environment, type PageEvent } from './environment.ts'
export { readWatchAnswer, Refusal, type StreamEvents, type Transport } from './transport.ts'
